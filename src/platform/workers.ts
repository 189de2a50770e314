/** Threads as the code sees them. */
export type WorkerEntry = "store-path-worker";

export interface WorkerThread {
  /** Called once when the thread has ended, by itself or by an uncaught error. */
  onExit: (error: Error | undefined) => void;
  /** True while the thread alone keeps the process alive; off by default. */
  unref(): void;
}

export interface Workers {
  /** `data` is cloned to the thread; shared buffers in it stay shared. */
  start(entry: WorkerEntry, data: unknown): WorkerThread;
}
