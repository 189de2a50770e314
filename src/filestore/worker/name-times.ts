/**
 * The times of this store path's new names (`name-clock.ts`): each is taken here and given back when the name is recorded or given up,
 * so that the main thread knows which names are still on their way. The disk holds a limit a few seconds ahead of them, in the engine's
 * state, from which the next start goes on; it is noted beside the checkpoint, and nothing ever waits for it. Worker thread.
 */
import { assert } from "#base/assert.ts";
import { makeNameMemory, NameWords, SteadyClock } from "#filestore/name-clock.ts";
import type { Clock } from "#platform/clock.ts";

/** How far ahead of the newest name the limit is noted: once in so many seconds of storing files, and lost by a crash at most. */
export const noteAheadSeconds = 10;

export interface NameTimesParts {
  readonly clock: Clock;
  /** Shared by the threads of this node; undefined where the path is on its own. */
  readonly memory: SharedArrayBuffer | undefined;
  readonly storePathIndex: number;
  /** Unix seconds: no name of an earlier run is later, and the main thread told no later time. */
  readonly start: number;
}

export class NameTimes {
  readonly #words: NameWords;
  readonly #path: number;
  readonly #steady: SteadyClock;
  /** How many names of a second are not recorded, the oldest second first. */
  readonly #unrecorded = new Map<number, number>();
  #oldest = 0;
  #newest: number;
  /** What was noted, or could not be. */
  #limit = 0;

  constructor({ clock, memory, storePathIndex, start }: NameTimesParts) {
    this.#words = new NameWords(memory ?? makeNameMemory());
    this.#path = storePathIndex;
    this.#steady = new SteadyClock(clock, start * 1000);
    this.#newest = start;
    this.#words.raiseFloor(start);
    this.#words.setOldestUnrecorded(this.#path, 0);
  }

  /** Milliseconds since 1970, for one new name; `give` it back when the name is recorded, or given up. */
  take(): number {
    let ms = Math.max(this.#steady.nowMs(), this.#newest * 1000);
    let second = Math.floor(ms / 1000);
    // Noted first: then either the main thread sees it, or the floor that it raised is seen here.
    if (this.#oldest === 0) this.#publish(second);
    const { floor } = this.#words;
    if (floor > second) {
      second = floor;
      ms = floor * 1000;
    }
    this.#newest = second;
    this.#unrecorded.set(second, (this.#unrecorded.get(second) ?? 0) + 1);
    return ms;
  }

  /** The name of this time is recorded, and the record can be read; or there will be none. */
  give(ms: number): void {
    const second = Math.floor(ms / 1000);
    const left = (this.#unrecorded.get(second) ?? 0) - 1;
    assert(left >= 0, "a time is given back once");
    if (left > 0) {
      this.#unrecorded.set(second, left);
      return;
    }
    this.#unrecorded.delete(second);
    const [oldest] = this.#unrecorded.keys();
    if (oldest !== this.#oldest) this.#publish(oldest ?? 0);
  }

  /** Times that were taken and not given back. */
  get unrecorded(): number {
    let sum = 0;
    for (const count of this.#unrecorded.values()) sum += count;
    return sum;
  }

  /** The limit on the disk is reached. */
  get isNoteDue(): boolean {
    return this.#newest >= this.#limit;
  }

  /** What is to be noted while names are given. */
  get nextLimit(): number {
    return Math.max(this.#newest, this.#words.floor) + noteAheadSeconds;
  }

  /** And where none will be any more. */
  get lastLimit(): number {
    return Math.max(this.#newest, this.#words.floor);
  }

  /** It could not be noted, and is to be tried again some time. */
  skipNote(limit: number): void {
    this.#limit = limit;
  }

  /** This limit is on the disk. */
  noted(limit: number): void {
    this.#limit = limit;
    this.#words.setLimit(this.#path, limit);
  }

  #publish(second: number): void {
    this.#oldest = second;
    this.#words.setOldestUnrecorded(this.#path, second);
  }
}
