/**
 * Flushes in libuv's thread pool: the worker's thread goes on meanwhile. Only a disk that answers within a fraction of a millisecond
 * is waited for, where there is little to flush: handing it over would cost more than the flush. A named number of them is in flight at a time, so that the
 * kernel answers them with one journal commit, and so that a disk that hangs holds no more than that many of the pool's threads
 * (`poolSizeFor`). One object a thread.
 */
import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fsync,
  fsyncSync,
  openSync,
} from "node:fs";
import { assert } from "#base/assert.ts";
import type { FileError } from "#platform/files.ts";
import type { Flusher, FlushOutcome, FlushTarget } from "#platform/flusher.ts";
import { fileError } from "#platform/node/node-files.ts";

/** More does not pay: 8 and 16 flush equally many files a second (measured, ext4). */
export const maxFlushesInFlight = 8;

/**
 * Handing a flush over costs 50 µs of CPU and 100 µs until it is answered (measured): quicker disks are waited for, as long as reads, which
 * wait as well, hardly notice.
 */
const quickFlushMs = 0.5;
/** More targets than this are worth having in flight together. */
const quickTargets = 2;
/** Of a new duration in the estimate; one that is far off shows at once that the disk is not quick. */
const newShare = 1 / 8;

/** Threads for what else the process does by the pool: names that are looked up, settings, files of the command line. */
const otherPoolThreads = 8;
/** A worker that was given up with its disk may still have flushes in flight when another one serves the path again. */
const workersPerPath = 2;
/** libuv's own limit. */
const maxPoolThreads = 1024;

/** Threads that libuv's pool must have so that hung disks hold up neither each other nor anything else. */
export function poolSizeFor(storePaths: number): number {
  return Math.min(
    maxPoolThreads,
    otherPoolThreads + maxFlushesInFlight * workersPerPath * storePaths,
  );
}

interface Flush {
  readonly target: FlushTarget;
  readonly ended: (error: FileError | undefined) => void;
}

export class NodeFlusher implements Flusher {
  /** What waits for others to end. Bounded by what its owner asks for, which is a batch and the bodies being received. */
  readonly #waiting: Flush[] = [];
  #running = 0;
  #inFlight = 0;
  /** What one flush takes lately; not quick until that was seen. */
  #typicalMs = 2 * quickFlushMs;

  get inFlight(): number {
    return this.#inFlight;
  }

  flush(targets: readonly FlushTarget[], done: (outcome: FlushOutcome) => void): void {
    assert(targets.length > 0, "a flush has something to flush");
    const isQuick = this.#typicalMs < quickFlushMs && targets.length <= quickTargets;
    if (isQuick && this.#running === 0) {
      done(targets.map((target) => this.#flushNow(target)));
      return;
    }
    const outcome: (FileError | undefined)[] = new Array(targets.length).fill(undefined);
    let left = targets.length;
    this.#inFlight += 1;
    for (const [index, target] of targets.entries()) {
      const ended = (error: FileError | undefined): void => {
        outcome[index] = error;
        left -= 1;
        if (left > 0) return;
        this.#inFlight -= 1;
        done(outcome);
      };
      if (this.#running < maxFlushesInFlight) this.#start({ target, ended });
      else this.#waiting.push({ target, ended });
    }
  }

  soon(task: () => void): void {
    setImmediate(task);
  }

  #start(flush: Flush): void {
    this.#running += 1;
    const { target } = flush;
    let opened: number | undefined;
    try {
      if (target.descriptor === undefined) opened = openSync(target.path, openFlags[target.kind]);
    } catch (error) {
      // Later, as every other answer.
      setImmediate(() => this.#end(flush, fileError(error, target.path)));
      return;
    }
    const descriptor = target.descriptor ?? (opened as number);
    const call = target.kind === "directory" ? fsync : fdatasync;
    const startMs = performance.now();
    call(descriptor, (error) => {
      this.#note(performance.now() - startMs);
      if (opened !== undefined) closeSync(opened);
      this.#end(flush, error === null ? undefined : fileError(error, target.path));
    });
  }

  #flushNow(target: FlushTarget): FileError | undefined {
    const startMs = performance.now();
    try {
      const descriptor = target.descriptor ?? openSync(target.path, openFlags[target.kind]);
      try {
        if (target.kind === "directory") fsyncSync(descriptor);
        else fdatasyncSync(descriptor);
      } finally {
        if (target.descriptor === undefined) closeSync(descriptor);
      }
      return undefined;
    } catch (error) {
      return fileError(error, target.path);
    } finally {
      this.#note(performance.now() - startMs);
    }
  }

  #note(durationMs: number): void {
    this.#typicalMs += (durationMs - this.#typicalMs) * newShare;
  }

  #end(flush: Flush, error: FileError | undefined): void {
    this.#running -= 1;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next);
    flush.ended(error);
  }
}

const openFlags: Readonly<Record<FlushTarget["kind"], number>> = {
  file: constants.O_RDONLY | constants.O_NONBLOCK,
  directory: constants.O_RDONLY | constants.O_DIRECTORY,
};
