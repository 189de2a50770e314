/** A clock that stands still until the test moves it. */
import type { Clock, Timer } from "#platform/clock.ts";

interface Due {
  atMs: number;
  readonly periodMs: number | undefined;
  readonly task: () => void;
}

export class ManualClock implements Clock {
  #nowMs = 1_700_000_000_000;
  #monotonicMs = 1000;
  readonly #due = new Set<Due>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#add({ atMs: this.#monotonicMs + delayMs, periodMs: undefined, task });
  }

  every(periodMs: number, task: () => void): Timer {
    return this.#add({ atMs: this.#monotonicMs + periodMs, periodMs, task });
  }

  /** Timers that have not run or been cancelled. */
  get pending(): number {
    return this.#due.size;
  }

  /** Moves the time on and runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.#monotonicMs + ms;
    for (;;) {
      const next = [...this.#due].sort((one, other) => one.atMs - other.atMs)[0];
      if (next === undefined || next.atMs > end) break;
      this.#moveTo(next.atMs);
      if (next.periodMs === undefined) this.#due.delete(next);
      else next.atMs += next.periodMs;
      next.task();
    }
    this.#moveTo(end);
  }

  #moveTo(monotonicMs: number): void {
    if (monotonicMs <= this.#monotonicMs) return;
    this.#nowMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }

  #add(due: Due): Timer {
    this.#due.add(due);
    return { cancel: () => this.#due.delete(due) };
  }
}
