/**
 * The changes that wait for their commit, and the one commit that is under way. Whatever is staged while its flushes run shares the
 * next one: that is the group commit. Worker thread.
 */
import { type FlushSteps, nothingFlushed } from "#filestore/worker/flush-steps.ts";
import type { Change } from "#filestore/worker/store-path-engine.ts";
import type { Flusher, FlushOutcome } from "#platform/flusher.ts";

/** Changes that share one commit; more only delays those that came first. */
export const maxBatch = 64;

interface Staged {
  /** Of the request that is answered at the change's end. */
  readonly id: number;
  readonly change: Change;
}

export interface CommitQueueParts {
  readonly commitSteps: (changes: readonly Change[]) => FlushSteps<void>;
  readonly flusher: Flusher;
  /** The change has its `result` or its `error`. */
  readonly ended: (id: number, change: Change) => void;
  /** A commit ended outside of `begin`: its names are free, and the next one may begin. */
  readonly onReady: () => void;
}

export class CommitQueue {
  readonly #parts: CommitQueueParts;
  #staged: Staged[] = [];
  #batch: readonly Staged[] = [];
  #steps: FlushSteps<void> | undefined;

  constructor(parts: CommitQueueParts) {
    this.#parts = parts;
  }

  /** Changes without a commit yet. */
  get size(): number {
    return this.#staged.length;
  }

  /** A commit waits for a flush. */
  get isFlushing(): boolean {
    return this.#steps !== undefined;
  }

  add(id: number, change: Change): void {
    this.#staged.push({ id, change });
  }

  /** Everything that has no commit yet; it is the caller's from now on. */
  takeAll(): readonly Staged[] {
    const all = this.#staged;
    this.#staged = [];
    return all;
  }

  /** Commits what came first, unless a commit is under way: then nothing happens. */
  begin(): void {
    if (this.#steps !== undefined || this.#staged.length === 0) return;
    const all = this.#staged;
    const more = all.length > maxBatch;
    this.#batch = more ? all.slice(0, maxBatch) : all;
    this.#staged = more ? all.slice(maxBatch) : [];
    this.#steps = this.#parts.commitSteps(this.#batch.map(({ change }) => change));
    this.#advance(nothingFlushed);
  }

  #advance(outcome: FlushOutcome): void {
    const steps = this.#steps;
    if (steps === undefined) return;
    let next: FlushOutcome | undefined = outcome;
    while (next !== undefined) {
      const step: IteratorResult<Parameters<Flusher["flush"]>[0] | undefined, void> =
        steps.next(next);
      if (step.done === true) {
        this.#end();
        return;
      }
      next = step.value === undefined ? nothingFlushed : this.#flush(step.value);
    }
  }

  /** The outcome where it is known at once; otherwise the commit goes on when it is. */
  #flush(targets: Parameters<Flusher["flush"]>[0]): FlushOutcome | undefined {
    let inside = true;
    let known: FlushOutcome | undefined;
    this.#parts.flusher.flush(targets, (outcome) => {
      if (inside) {
        known = outcome;
        return;
      }
      this.#advance(outcome);
      if (this.#steps === undefined) this.#parts.onReady();
    });
    inside = false;
    return known;
  }

  #end(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#steps = undefined;
    for (const { id, change } of batch) this.#parts.ended(id, change);
  }
}
