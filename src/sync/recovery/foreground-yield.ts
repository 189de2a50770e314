/**
 * Lets recovery run at full speed while nobody else wants the disk, and with a few lanes while clients are served. What clients ask for is
 * seen by a count that grows with it. Main thread.
 */
import { type Clock, delay } from "#platform/clock.ts";
import { busyForMs, lanesWhileServing } from "#sync/recovery/limits.ts";

export class ForegroundYield {
  readonly #clock: Clock;
  readonly #count: () => number;
  #seen = 0;
  #busyUntilMs = Number.NEGATIVE_INFINITY;
  #lanes = 0;

  /** `count` grows with each request of a client. */
  constructor(clock: Clock, count: () => number) {
    this.#clock = clock;
    this.#count = count;
    this.#seen = count();
  }

  get isBusy(): boolean {
    const now = this.#clock.monotonicMs();
    const count = this.#count();
    if (count !== this.#seen) this.#busyUntilMs = now + busyForMs;
    this.#seen = count;
    return now < this.#busyUntilMs;
  }

  /** Runs `work` when its lane may: at once, or, while clients are served, as one of few. */
  async run<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    while (this.#lanes >= lanesWhileServing && this.isBusy) {
      await delay(this.#clock, busyForMs / 4, signal);
    }
    this.#lanes += 1;
    try {
      return await work();
    } finally {
      this.#lanes -= 1;
    }
  }
}
