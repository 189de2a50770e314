/**
 * What a store path's worker does beside its requests, such as looking through its files: a bounded step at a time, each work at its
 * own pace. Worker thread.
 */
import type { Clock } from "#platform/clock.ts";

export interface BackgroundWork {
  /**
   * Does something that takes no longer than reading 1 MiB, or nothing. Returns after how many milliseconds it is to be called again,
   * undefined where that is not known: then with the next requests.
   */
  step(): number | undefined;
}

export class BackgroundTurns {
  readonly #clock: Clock;
  readonly #works: readonly BackgroundWork[];
  /** By work; undefined where it waits for requests. */
  readonly #dueMs: (number | undefined)[];

  constructor(clock: Clock, works: readonly BackgroundWork[]) {
    this.#clock = clock;
    this.#works = works;
    this.#dueMs = works.map(() => 0);
  }

  /**
   * One step of each work whose time has come; of all of them where requests were `served` since the last call and it waited for
   * some. Returns the milliseconds until the next call; undefined where only requests will bring anything new.
   */
  turn(served: boolean): number | undefined {
    if (this.#works.length === 0) return undefined;
    const nowMs = this.#clock.monotonicMs();
    let next = Number.POSITIVE_INFINITY;
    for (const [number, work] of this.#works.entries()) {
      const dueMs = this.#dueMs[number] ?? (served ? nowMs : undefined);
      const after = dueMs === undefined || dueMs > nowMs ? undefined : work.step();
      if (dueMs !== undefined && dueMs <= nowMs) {
        this.#dueMs[number] = after === undefined ? undefined : this.#clock.monotonicMs() + after;
      }
      next = Math.min(next, this.#dueMs[number] ?? Number.POSITIVE_INFINITY);
    }
    if (next === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(0, next - this.#clock.monotonicMs());
  }
}
