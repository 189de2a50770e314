/**
 * Tells for how long a store path's disk has stood still: no file call and no flush ended although there was work. Only time in which
 * this thread looked counts, so that a process that was stopped, or a machine that slept, does not take its disks for hanging.
 * Main thread.
 */
import type { PathPulse } from "#filestore/worker/path-condition.ts";
import type { Clock } from "#platform/clock.ts";

/** Disks are looked at this often. */
export const lookPeriodMs = 250;
/** More than this between two looks was our own standstill. */
const maxGapMs = 2 * lookPeriodMs;

type Pulse = Pick<PathPulse, "calls" | "flushing" | "flushed">;

export class PathWatch {
  readonly #pulse: () => Pulse;
  readonly #clock: Clock;
  #lookedMs: number;
  #calls = 0;
  #flushed = 0;
  #callsStillMs = 0;
  #wasLate = false;
  #flushesStillMs = 0;

  /** `pulse` is that of the present worker. */
  constructor(pulse: () => Pulse, clock: Clock) {
    this.#pulse = pulse;
    this.#clock = clock;
    this.#lookedMs = clock.monotonicMs();
  }

  /** The last look came late: times that this thread took until then say nothing about the disk. */
  get wasLate(): boolean {
    return this.#wasLate;
  }

  /** For how long it has stood still, in milliseconds. `busy`: the worker owes answers. */
  look(busy: boolean): number {
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = nowMs - this.#lookedMs;
    const gapMs = Math.min(maxGapMs, sinceMs);
    this.#wasLate = sinceMs > maxGapMs;
    this.#lookedMs = nowMs;
    const { calls, flushing, flushed } = this.#pulse();
    this.#callsStillMs = busy && calls === this.#calls ? this.#callsStillMs + gapMs : 0;
    const flushesStill = flushing > 0 && flushed === this.#flushed;
    this.#flushesStillMs = flushesStill ? this.#flushesStillMs + gapMs : 0;
    this.#calls = calls;
    this.#flushed = flushed;
    return Math.max(this.#callsStillMs, this.#flushesStillMs);
  }
}
