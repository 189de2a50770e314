/**
 * Where nothing is flushed: how far back what was written may not be on the disk yet. The kernel writes by itself what is half a minute
 * old, and later where the disk is busy; what is older than ten minutes counts as written. Told as a place in the binlog, and as a time of
 * the system's clock, which may step: the earliest one that it showed since. Worker thread.
 */
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import type { SettledMark } from "#filestore/formats/engine-state.ts";
import type { Clock } from "#platform/clock.ts";

/** The kernel's file times lag behind its clock by a tick, so a second may have passed. */
const lagSeconds = 1;
export const settlingMs = 10 * 60_000;

interface Mark {
  readonly atMs: number;
  readonly position: BinlogPosition;
  /** The earliest time of the clock until the next mark. */
  since: number;
}

export interface SettlingParts {
  readonly clock: Clock;
  /** See `Files.mounting`. */
  readonly mounting: string | undefined;
  /** Of a run that flushes: where the records of one end that did not. */
  readonly until?: BinlogPosition;
}

export class Settling {
  readonly #clock: Clock;
  readonly #mounting: string | undefined;
  readonly #until: BinlogPosition | undefined;
  /** All before it is older than `settlingMs`. */
  #older: Mark;
  #newer: Mark;
  #end: BinlogPosition;
  #lastMs: number;

  /** `from`: what the last run left, which may not be on the disk either. `end`: of the binlog. */
  constructor(
    { clock, mounting, until }: SettlingParts,
    from: SettledMark | undefined,
    end: BinlogPosition,
  ) {
    this.#clock = clock;
    this.#mounting = mounting;
    this.#until = until;
    this.#end = end;
    this.#lastMs = clock.monotonicMs();
    this.#newer = this.#markNow();
    const isKnown = from !== undefined && comparePositions(from.position, end) <= 0;
    this.#older = isKnown
      ? { position: from.position, since: from.since, atMs: this.#lastMs }
      : this.#newer;
  }

  /** To be called after each commit. `end`: of the binlog by now. */
  look(end: BinlogPosition): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lastMs >= settlingMs) {
      // Nothing was written for so long.
      this.#older = this.#markNow();
      this.#newer = this.#older;
    } else if (nowMs - this.#newer.atMs >= settlingMs) {
      this.#older = this.#newer;
      this.#newer = this.#markNow();
    } else {
      this.#newer.since = Math.min(this.#newer.since, this.#nowSeconds);
    }
    this.#lastMs = nowMs;
    this.#end = end;
  }

  /** Undefined where all is settled that was not flushed. */
  get mark(): SettledMark | undefined {
    const { position, since } = this.#older;
    if (this.#until !== undefined && comparePositions(position, this.#until) >= 0) return undefined;
    const mark = { position, since: Math.min(since, this.#newer.since) };
    return this.#mounting === undefined ? mark : { ...mark, mounting: this.#mounting };
  }

  /** The clock was set back behind what was noted: without another note, what is written now would count as old. */
  isBefore(since: number): boolean {
    return this.#newer.since < since || this.#older.since < since;
  }

  #markNow(): Mark {
    const atMs = this.#clock.monotonicMs();
    return { atMs, position: this.#end, since: this.#nowSeconds };
  }

  get #nowSeconds(): number {
    return Math.max(0, Math.floor(this.#clock.nowMs() / 1000) - lagSeconds);
  }
}
