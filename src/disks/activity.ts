/**
 * Which disks sleep, and what may be asked of them without waking one. A disk that was told to be asleep stays so until the kernel counts a
 * request to it; one that turns and was not used for a while may have fallen asleep by itself, and is asked for its power mode (which wakes
 * nothing) before background work reads from it. Where a disk cannot be asked, it counts as awake: else it would never be scrubbed.
 * Foreground work asks nobody. Main thread; reads counters that others bring.
 */
import { type BlockCounters, wasUsed } from "#disks/health/block-counters.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import type { Clock } from "#platform/clock.ts";

export type PowerState = "awake" | "asleep" | "unknown";

/** No disk is set to sleep sooner by those who want it to live: spinning up wears it. */
const surelyAwakeMs = 5 * 60_000;
/** What was told about a disk that rests is believed for so long. */
const believedMs = 60_000;
/** A disk that did not answer is not asked again sooner. */
const askAgainMs = 30_000;

interface Watched {
  counters: BlockCounters | undefined;
  usedMs: number;
  toldAsleep: boolean;
  /** When it was told last; undefined where it never was. */
  toldMs: number | undefined;
  askedMs: number | undefined;
  mayRest: boolean;
}

export class DiskActivity {
  readonly #clock: Clock;
  readonly #disks = new Map<string, Watched>();
  /** Somebody wants to read from a disk that may be asleep: find out, and call `told`. */
  onWanted: (name: string) => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The disks that are there; others are forgotten. `canAsk`: their power mode can be asked for. */
  setDisks(
    disks: readonly Pick<DiskFacts, "name" | "rotational">[],
    canAsk: (name: string) => boolean,
  ): void {
    const names = new Set(disks.map(({ name }) => name));
    for (const name of this.#disks.keys()) if (!names.has(name)) this.#disks.delete(name);
    for (const { name, rotational } of disks) {
      const watched = this.#disks.get(name) ?? this.#fresh();
      watched.mayRest = rotational !== false && canAsk(name);
      this.#disks.set(name, watched);
    }
  }

  /** To be called every few seconds. */
  looked(all: readonly BlockCounters[]): void {
    const nowMs = this.#clock.monotonicMs();
    for (const counters of all) {
      const watched = this.#disks.get(counters.name);
      if (watched === undefined) continue;
      const { counters: before } = watched;
      const isOther = before !== undefined && before.sequence !== counters.sequence;
      if (before === undefined || isOther || wasUsed(before, counters)) {
        watched.usedMs = nowMs;
        watched.toldAsleep = false;
      } else if (counters.suspended) {
        watched.toldAsleep = true;
        watched.toldMs = nowMs;
      }
      watched.counters = counters;
    }
  }

  /** What the disk answered when it was asked. */
  told(name: string, asleep: boolean): void {
    const watched = this.#disks.get(name);
    if (watched === undefined) return;
    watched.toldAsleep = asleep;
    watched.toldMs = this.#clock.monotonicMs();
  }

  stateOf(name: string): PowerState {
    const watched = this.#disks.get(name);
    if (watched === undefined) return "unknown";
    if (watched.toldAsleep) return "asleep";
    if (!watched.mayRest) return "awake";
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - watched.usedMs < surelyAwakeMs) return "awake";
    return watched.toldMs !== undefined && nowMs - watched.toldMs < believedMs
      ? "awake"
      : "unknown";
  }

  /** For how long nothing was asked of it, in milliseconds; 0 for a disk that is not known. */
  idleMs(name: string): number {
    const watched = this.#disks.get(name);
    return watched === undefined ? 0 : this.#clock.monotonicMs() - watched.usedMs;
  }

  /**
   * Whether background work may read there now: false where that would, or might, wake the disk. Then it comes again later; meanwhile the
   * disk is asked.
   */
  mayRead(name: string): boolean {
    const watched = this.#disks.get(name);
    if (watched === undefined) return true;
    const state = this.stateOf(name);
    if (state !== "unknown") return state === "awake";
    const nowMs = this.#clock.monotonicMs();
    if (watched.askedMs === undefined || nowMs - watched.askedMs >= askAgainMs) {
      watched.askedMs = nowMs;
      this.onWanted(name);
    }
    return false;
  }

  #fresh(): Watched {
    return {
      counters: undefined,
      usedMs: this.#clock.monotonicMs(),
      toldAsleep: false,
      toldMs: undefined,
      askedMs: undefined,
      mayRest: false,
    };
  }
}
