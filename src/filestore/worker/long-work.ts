/**
 * Work that is too long for one turn of the worker's loop: done a bounded step at a time, the works taking turns, while other requests
 * go on. A work that waits for a flush is left alone until that ended. Worker thread.
 */
import { type FlushSteps, nothingFlushed } from "#filestore/worker/flush-steps.ts";
import type { Flusher, FlushOutcome } from "#platform/flusher.ts";

interface Work {
  /** Belongs to a committed change, and is done even when the path is to be closed. */
  readonly committed: boolean;
  readonly steps: FlushSteps<unknown>;
  readonly done: (result: unknown) => void;
  readonly failed: (error: unknown) => void;
  outcome: FlushOutcome;
}

export interface WorkOwner<Result> {
  readonly committed: boolean;
  readonly done: (result: Result) => void;
  readonly failed: (error: unknown) => void;
}

export class LongWork {
  readonly #flusher: Flusher;
  readonly #onReady: () => void;
  readonly #ready = new Set<Work>();
  readonly #flushing = new Set<Work>();

  /** `onReady`: a flush ended outside of `step`, and there is work again. */
  constructor(flusher: Flusher, onReady: () => void) {
    this.#flusher = flusher;
    this.#onReady = onReady;
  }

  /** There is a step to be done now. */
  get isReady(): boolean {
    return this.#ready.size > 0;
  }

  /** Something is not done yet. */
  get isBusy(): boolean {
    return this.#ready.size + this.#flushing.size > 0;
  }

  start<Result>(steps: FlushSteps<Result>, owner: WorkOwner<Result>): void {
    this.#ready.add({
      committed: owner.committed,
      steps,
      done: owner.done as (result: unknown) => void,
      failed: owner.failed,
      outcome: nothingFlushed,
    });
  }

  /** One step of one work: requests that come meanwhile wait for no more than that. */
  step(): void {
    const [work] = this.#ready;
    if (work === undefined) return;
    this.#ready.delete(work);
    try {
      const step = work.steps.next(work.outcome);
      work.outcome = nothingFlushed;
      if (step.done === true) work.done(step.value);
      else if (step.value === undefined) this.#ready.add(work);
      else this.#flush(work, step.value);
    } catch (error) {
      work.failed(error);
    }
  }

  /** What only reads is not worth waiting for when the path is to be closed. */
  dropReading(error: unknown): void {
    for (const work of this.#ready) {
      if (work.committed) continue;
      this.#ready.delete(work);
      work.steps.return(undefined);
      work.failed(error);
    }
  }

  #flush(work: Work, targets: Parameters<Flusher["flush"]>[0]): void {
    let inside = true;
    this.#flushing.add(work);
    this.#flusher.flush(targets, (outcome) => {
      work.outcome = outcome;
      this.#flushing.delete(work);
      this.#ready.add(work);
      if (!inside) this.#onReady();
    });
    inside = false;
  }
}
