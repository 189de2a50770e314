/** Threads as the code sees them. */

/** How a thread waits, in its event loop, for another one to change a word of shared memory. Simulation passes its own in. */
export interface ThreadWaits {
  /** Resolves once `notify` was called for the word; undefined, and nothing waits, where the word is not 1. */
  waitAsync(words: Int32Array, index: number): Promise<unknown> | undefined;
  notify(words: Int32Array, index: number): void;
}

export type WorkerEntry = "store-path-worker" | "store-path-mover";

export interface WorkerThread {
  /** What the thread posts (see `ThreadPort`); log records, for instance. */
  onMessage: (message: unknown) => void;
  /** Called once when the thread has ended, by itself or by an uncaught error. */
  onExit: (error: Error | undefined) => void;
}

export interface Workers {
  /** `data` is cloned to the thread; shared buffers in it stay shared. Does not keep the process alive. */
  start(entry: WorkerEntry, data: unknown): WorkerThread;
  /**
   * So many workers are going to flush: makes the process-wide pool of threads large enough that a disk which hangs holds up nobody
   * else. To be called once, before anything uses the pool; where the operator chose a size, that counts.
   */
  reserveFlushes?(workers: number): void;
  /** Calls `task` once, at the end of the present turn of the event loop: when whatever the kernel had ready was taken. */
  readonly afterTurn: (task: () => void) => void;
  /** Those of shared memory where it is left out; all ends of a worker's rings use the same. */
  readonly waits?: ThreadWaits;
}

/** The thread's own end. */
export interface ThreadPort {
  readonly data: unknown;
  post(message: unknown): void;
}
