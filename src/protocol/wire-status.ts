/** The status byte of replies: Linux errno values on every platform (protocol §1.3). */
export const wireStatus = {
  ok: 0,
  notPermitted: 1,
  notFound: 2,
  interrupted: 4,
  ioError: 5,
  tryAgain: 11,
  outOfMemory: 12,
  accessDenied: 13,
  badAddress: 14,
  busy: 16,
  exists: 17,
  isDirectory: 21,
  invalid: 22,
  tooManyFiles: 24,
  noSpace: 28,
  readOnly: 30,
  nameTooLong: 36,
  notOnNetwork: 64,
  notSupported: 95,
  timedOut: 110,
  connectionRefused: 111,
  alreadyDone: 114,
} as const;

export type WireStatusName = keyof typeof wireStatus;
export type WireStatus = (typeof wireStatus)[WireStatusName];

/** What a handler throws to answer with a bare header of that status. The text is for the log only. */
export class WireStatusError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "WireStatusError";
    this.status = status;
  }
}
