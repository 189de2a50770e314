/** The kernel's log, as far as we may read it. */

export interface KernelMessage {
  readonly text: string;
  /** Seconds since 1970, by the present clock. */
  readonly atSeconds: number;
}

export interface KernelLog {
  /**
   * What was logged since the last call, at most `maxKernelMessages`, the oldest first; at the first call what it still has of the last
   * day. Undefined where we may not read it. Never rejects.
   */
  take(): Promise<readonly KernelMessage[] | undefined>;
}

/** A flood beyond this in one look is passed over: a disk that makes the kernel say so much is known by then. */
export const maxKernelMessages = 2000;
