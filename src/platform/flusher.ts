/**
 * Bringing files to stable storage while the thread goes on with other work. Several flushes are in flight at a time, so that the
 * file system answers them with one journal commit and the disk with one barrier (performance notes §3).
 */
import type { FileDescriptor, FileError } from "#platform/files.ts";

export interface FlushTarget {
  /** Of a file its data and what is needed to read them back, of a directory its entries. */
  readonly kind: "file" | "directory";
  /** Equal paths of one request are flushed once. */
  readonly path: string;
  /** Where it is open; whoever opened it keeps it open until the flush ended. */
  readonly descriptor?: FileDescriptor;
}

/** One for each target, in their order; undefined where it is on stable storage. */
export type FlushOutcome = readonly (FileError | undefined)[];

export interface Flusher {
  /** Calls `done` once, when every target was flushed or failed: before it returns, or later from the event loop. */
  flush(targets: readonly FlushTarget[], done: (outcome: FlushOutcome) => void): void;
  /** Requests that were not answered yet; while there are any, the thread must let its event loop run. */
  readonly inFlight: number;
  /** Calls `task` from the event loop, after it looked for flushes that ended. */
  soon(task: () => void): void;
}
