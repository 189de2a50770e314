/** What a decoder throws, and nothing else: the bytes do not form the message. `short` means that more bytes could mend it. */
export type ProtocolErrorReason = "short" | "invalid";

export class ProtocolError extends Error {
  readonly reason: ProtocolErrorReason;

  constructor(reason: ProtocolErrorReason, message: string) {
    super(message);
    this.name = "ProtocolError";
    this.reason = reason;
  }
}
