/**
 * The changes that wait for their commit, and the one commit that is under way. Whatever is staged while its flushes run shares the
 * next one: that is the group commit. After one that waited for flushes the next one is held back for a moment, since those who were
 * just answered mostly ask again at once: otherwise they and the others take turns, each half waiting for the flushes of both.
 * Worker thread.
 */
import { type FlushSteps, nothingFlushed } from "#filestore/worker/flush-steps.ts";
import type { Change } from "#filestore/worker/store-path-engine.ts";
import type { Clock } from "#platform/clock.ts";
import type { Flusher, FlushOutcome } from "#platform/flusher.ts";

/** Changes that share one commit. With 64 it is two thirds as many a second from 256 connections as with 256 (flushed, packed). */
export const maxBatch = 256;
/** The longest that a commit is held back; as long as some tens of connections need to ask again. */
const maxGatherMs = 0.3;
/** And of what the last commit took: what it costs whoever is there already. */
const gatherPart = 1 / 4;
/** Of those that were under way when the last commit ended: with so many there it is not worth waiting for the rest. */
const gatheredPart = 0.9;

interface Staged {
  /** Of the request that is answered at the change's end. */
  readonly id: number;
  readonly change: Change;
}

export interface CommitQueueParts {
  readonly commitSteps: (changes: readonly Change[]) => FlushSteps<void>;
  readonly flusher: Flusher;
  /** Without it no commit is held back. */
  readonly clock?: Pick<Clock, "monotonicMs">;
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
  #beganMs = 0;
  /** Until then a commit is held back where there are less changes than these. */
  #gather = { untilMs: 0, changes: 0 };

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

  /** How much longer more changes are waited for; 0 where a commit is to begin. */
  get gatherMs(): number {
    const { clock } = this.#parts;
    if (clock === undefined || this.#staged.length >= this.#gather.changes) return 0;
    return Math.max(0, this.#gather.untilMs - clock.monotonicMs());
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
    this.#beganMs = this.#parts.clock?.monotonicMs() ?? 0;
    this.#gather = { untilMs: 0, changes: 0 };
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
      const underWay = this.#batch.length + this.#staged.length;
      this.#advance(outcome);
      if (this.#steps !== undefined) return;
      this.#holdBack(underWay);
      this.#parts.onReady();
    });
    inside = false;
    return known;
  }

  #holdBack(underWay: number): void {
    const nowMs = this.#parts.clock?.monotonicMs() ?? 0;
    const waitMs = Math.min(maxGatherMs, (nowMs - this.#beganMs) * gatherPart);
    const changes = Math.min(maxBatch, underWay * gatheredPart);
    this.#gather = { untilMs: nowMs + waitMs, changes };
  }

  #end(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#steps = undefined;
    for (const { id, change } of batch) this.#parts.ended(id, change);
  }
}
