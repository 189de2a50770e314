/**
 * The times in names of new files, which never run backwards on this node: not over steps of the wall clock, not from one store path to
 * the next, not over restarts. What makes it so is in memory that all of the node's threads share: a floor that no further name may be
 * below, and for each path the oldest name that was given and is not recorded yet, and a limit that is on its disk, from which the
 * next start goes on. The time that the main thread tells is never above the largest limit. Main thread, but for `SteadyClock` and the
 * words.
 */
import type { Clock } from "#platform/clock.ts";

const maxPaths = 256;
const floorAt = 0;
/** Of each store path: the second of its oldest name without a record, 0 for none; and its limit, 0 before it is opened. */
const wordsOfPath = 2;
const firstPathAt = 1;

export function makeNameMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer((firstPathAt + maxPaths * wordsOfPath) * 4);
}

/** Seconds are unsigned here, and words are not. */
export class NameWords {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  get floor(): number {
    return Atomics.load(this.#words, floorAt) >>> 0;
  }

  /** No name that is taken from now on, on any thread, has an earlier second. */
  raiseFloor(second: number): void {
    for (;;) {
      const there = Atomics.load(this.#words, floorAt);
      if (there >>> 0 >= second) return;
      if (Atomics.compareExchange(this.#words, floorAt, there, second | 0) === there) return;
    }
  }

  oldestUnrecorded(path: number): number {
    return Atomics.load(this.#words, firstPathAt + path * wordsOfPath) >>> 0;
  }

  setOldestUnrecorded(path: number, second: number): void {
    Atomics.store(this.#words, firstPathAt + path * wordsOfPath, second | 0);
  }

  limit(path: number): number {
    return Atomics.load(this.#words, firstPathAt + path * wordsOfPath + 1) >>> 0;
  }

  setLimit(path: number, second: number): void {
    Atomics.store(this.#words, firstPathAt + path * wordsOfPath + 1, second | 0);
  }
}

/** A wall clock that goes on by a second a second, from where it was, while the real one is behind that. */
export class SteadyClock {
  readonly #clock: Clock;
  #lastMs: number;
  /** Where it goes on from. */
  #from: { readonly ms: number; readonly monotonicMs: number } | undefined;

  /** It begins no earlier than `startMs`. */
  constructor(clock: Clock, startMs: number) {
    this.#clock = clock;
    this.#lastMs = startMs;
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    const wallMs = this.#clock.nowMs();
    if (wallMs >= this.#lastMs) {
      this.#lastMs = wallMs;
      this.#from = undefined;
      return wallMs;
    }
    const monotonicMs = this.#clock.monotonicMs();
    this.#from ??= { ms: this.#lastMs, monotonicMs };
    const goneMs = monotonicMs - this.#from.monotonicMs;
    this.#lastMs = Math.max(this.#lastMs, Math.floor(this.#from.ms + goneMs));
    return this.#lastMs;
  }
}

export class NameClock {
  readonly memory = makeNameMemory();
  readonly #words = new NameWords(this.memory);
  readonly #steady: SteadyClock;
  #told = 0;

  constructor(clock: Clock) {
    this.#steady = new SteadyClock(clock, 0);
  }

  /**
   * Unix seconds: names that the `serving` paths have not recorded yet, and all later ones, have at least this time. Names that other
   * paths have not recorded are left out: those who asked for them were told that they failed. 0 as long as no path was opened.
   */
  tell(serving: Iterable<number>): number {
    let limit = 0;
    for (let path = 0; path < maxPaths; path += 1) {
      limit = Math.max(limit, this.#words.limit(path));
    }
    const now = Math.max(Math.floor(this.#steady.nowMs() / 1000), this.#words.floor);
    let second = Math.min(now, limit);
    // In this order: who takes a name notes it first, and looks at the floor then.
    this.#words.raiseFloor(second);
    for (const path of serving) {
      const oldest = this.#words.oldestUnrecorded(path);
      if (oldest > 0 && oldest < second) second = oldest;
    }
    this.#told = Math.max(this.#told, second);
    return this.#told;
  }
}
