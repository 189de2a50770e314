/**
 * Store paths that are away for a moment and come back by themselves, being switched from disk to disk: whoever asks for one of their files
 * waits for that, for a bounded time, as clients of FastDFS do not ask again. Main thread.
 */
import { hasCode } from "#base/app-error.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import { type Clock, delay } from "#platform/clock.ts";

/** One request waits so long. Clients of FastDFS wait for 30 s and more. */
const maxWaitMs = 10_000;
/** Further ones are answered at once that they may try again. */
const maxWaiting = 1024;

export class BriefAbsences {
  readonly #clock: Clock;
  readonly #away = new Map<number, PromiseWithResolvers<void>>();
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(index: number): boolean {
    return this.#away.has(index);
  }

  begin(index: number): void {
    if (!this.#away.has(index)) this.#away.set(index, Promise.withResolvers());
  }

  /** It is back, or does not come back by itself. */
  end(index: number): void {
    this.#away.get(index)?.resolve();
    this.#away.delete(index);
  }

  /**
   * Resolves when the path is worth another try, or, where `index` is undefined, any of them is. Rejects with `error` where that is not what
   * it is about, and where it takes too long.
   */
  async outlast(error: unknown, index: number | undefined): Promise<void> {
    const all = index === undefined ? [...this.#away.values()] : [this.#away.get(index)];
    const backs = all.flatMap((away) => away?.promise ?? []);
    const isUnready = hasCode<FileStoreErrorCode>(error, "store-path-unready");
    if (!isUnready || backs.length === 0 || this.#waiting >= maxWaiting) throw error;
    this.#waiting += 1;
    const ended = new AbortController();
    const limit = delay(this.#clock, maxWaitMs, ended.signal).then(
      () => "late" as const,
      () => "late" as const,
    );
    try {
      if ((await Promise.race([...backs, limit])) === "late") throw error;
    } finally {
      ended.abort();
      this.#waiting -= 1;
    }
  }
}
