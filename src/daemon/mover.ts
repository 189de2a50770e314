/**
 * One job of moving a store path, in a thread of its own, since whatever touches a disk may hang: starts it, tells it who waits for the disks
 * meanwhile, and what became of it. Main thread.
 */
import { AppError } from "#base/app-error.ts";
import {
  type MoveFindings,
  type MoveJob,
  type MoverPost,
  type MoverThreadData,
  type MoveTally,
  moverWord,
  moverWords,
} from "#filestore/move/move-messages.ts";
import type { Clock } from "#platform/clock.ts";
import type { Workers } from "#platform/workers.ts";

/** Whether somebody waits for one of the disks is looked at this often. */
const lookPeriodMs = 25;
/** Who asked a moment ago will ask again. */
const busyForMs = 100;

export interface MoverParts {
  readonly workers: Workers;
  readonly clock: Clock;
}

export interface MoverWatch {
  /** Somebody waits for one of the disks. */
  readonly isBusy: () => boolean;
  readonly progress: (tally: MoveTally) => void;
  readonly signal: AbortSignal;
}

export interface MoverEnd {
  readonly tally: MoveTally;
  readonly findings: MoveFindings;
}

/** The work was told to end, and did. */
export class MoverStopped extends Error {}

export class Mover {
  readonly #parts: MoverParts;

  constructor(parts: MoverParts) {
    this.#parts = parts;
  }

  /** Rejects with `MoverStopped`, or with `disk-failed`, `store-full` and `mover-failed` as the disks say. */
  async run(job: MoveJob, { isBusy, progress, signal }: MoverWatch): Promise<MoverEnd> {
    if (signal.aborted) throw new MoverStopped();
    const { workers, clock } = this.#parts;
    const words = new SharedArrayBuffer(moverWords * Int32Array.BYTES_PER_ELEMENT);
    const view = new Int32Array(words);
    let busyMs = Number.NEGATIVE_INFINITY;
    const timer = clock.every(lookPeriodMs, () => {
      const nowMs = clock.monotonicMs();
      if (isBusy()) busyMs = nowMs;
      Atomics.store(view, moverWord.busy, nowMs - busyMs < busyForMs ? 1 : 0);
    });
    const stop = (): void => {
      Atomics.store(view, moverWord.stop, 1);
      Atomics.notify(view, moverWord.stop);
    };
    signal.addEventListener("abort", stop);
    try {
      return await new Promise<MoverEnd>((resolve, reject) => {
        const data: MoverThreadData = { job, words };
        const thread = workers.start("store-path-mover", data);
        let end: (() => void) | undefined;
        thread.onMessage = (message) => {
          const post = message as MoverPost;
          if (post.post === "progress") progress(post.tally);
          else if (post.post === "done") end = () => resolve(post);
          else if (post.post === "stopped") end = () => reject(new MoverStopped());
          else end = () => reject(new AppError(post.code, post.message));
        };
        // Nobody has the disks any more when this settles.
        thread.onExit = (error) => {
          if (error === undefined && end !== undefined) end();
          else reject(error ?? new AppError("mover-failed", "its thread ended by itself"));
        };
      });
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", stop);
    }
  }
}
