/**
 * How often what was added to a binlog is looked at: at once after a pause, and seldom enough under load that changes go together. Each message
 * rouses two threads at either end, which costs as much as several small files (measured). Main thread.
 */
import type { Clock, Timer } from "#platform/clock.ts";

const gatherMs = 20;

export class Gathering {
  readonly #clock: Clock;
  readonly #goOn: () => void;
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(clock: Clock, goOn: () => void) {
    this.#clock = clock;
    this.#goOn = goOn;
  }

  /** Changes were found at the end of the binlog. */
  found(): void {
    this.#lastMs = this.#clock.monotonicMs();
  }

  /** True where that was a moment ago; then `goOn` is called when the moment has passed. */
  waits(): boolean {
    if (this.#timer !== undefined) return true;
    const ms = this.#lastMs + gatherMs - this.#clock.monotonicMs();
    if (ms <= 0) return false;
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = undefined;
      this.#goOn();
    });
    return true;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lastMs = Number.NEGATIVE_INFINITY;
  }
}
