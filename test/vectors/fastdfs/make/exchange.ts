/** What the sources of vectors have in common: one request and its reply as they were on the wire, headers included. */

/** Where an exchange comes from. `reference` is the C implementation, release 6.16.1. */
export interface Origin {
  /**
   * captured: from a capture of a cluster of the reference; recorded: from a program of ours that spoke to the reference;
   * published: from the appendix of a description of the protocol, captured as well; synthetic: put together by hand.
   */
  readonly kind: "captured" | "recorded" | "published" | "synthetic";
  /** The file, and the time in it or the heading. */
  readonly source: string;
}

export interface Exchange {
  readonly command: number;
  readonly request: Buffer;
  /** Absent where the server only closed the connection, or does not answer at all. */
  readonly reply: Buffer | undefined;
  readonly width: 16 | 46;
  /** Layout of a release before 6.16.1, as `releaseNumber` gives it. */
  readonly release?: number;
  readonly note: string;
  readonly origin: Origin;
}

export const headerSize = 10;

export function bodyLength(frame: Buffer): number {
  return Number(frame.readBigInt64BE(0));
}
