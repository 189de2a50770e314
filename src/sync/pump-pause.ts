/** Why a store path's changes wait, and until when: each wait in a row is twice as long as the one before. Main thread. */
import type { Log } from "#base/log.ts";
import type { Clock } from "#platform/clock.ts";
import { firstRetryMs, maxRetryMs } from "#sync/limits.ts";

export interface PumpPauseParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly peer: string;
  readonly storePathIndex: number;
}

export class PumpPause {
  readonly #parts: PumpPauseParts;
  #problem: string | undefined;
  #untilMs = 0;
  #inARow = 0;

  constructor(parts: PumpPauseParts) {
    this.#parts = parts;
  }

  /** In words; undefined where nothing is known to be the matter. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get isOn(): boolean {
    return this.#parts.clock.monotonicMs() < this.#untilMs;
  }

  /** Calls `over` at its end. Returns the milliseconds until then. */
  begin(why: string, over: () => void): number {
    const { clock, log, peer, storePathIndex } = this.#parts;
    const ms = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(this.#inARow, 10));
    if (this.#problem !== why) log.warn("sync-path-waits", { peer, path: storePathIndex, why });
    this.#inARow += 1;
    this.#problem = why;
    this.#untilMs = clock.monotonicMs() + ms;
    clock.after(ms, over);
    return ms;
  }

  /** Another try may succeed at once. */
  cutShort(): void {
    this.#untilMs = 0;
    this.#inARow = 0;
  }

  /** All is well. */
  forget(): void {
    this.#inARow = 0;
    this.#problem = undefined;
  }

  /** Sending begins anew. */
  restart(): void {
    this.#untilMs = 0;
    this.#problem = undefined;
  }
}
