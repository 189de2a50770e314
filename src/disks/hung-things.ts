/**
 * Mounts and disks that do not answer. A mount is said to hang once it has been silent for a while, and until it answers or is gone; the child
 * asks it only once. A disk at which the child itself hung is left out of rounds until it is gone, or for a while that doubles each
 * time: a round that tries it again costs a process, and everybody the time until its deadline.
 */
import { probeLimits } from "#disks/probe/limits.ts";
import type { RoundAnswer } from "#disks/probe/probe-messages.ts";
import type { DiskFacts, DiskKey } from "#model/disk-facts.ts";
import type { Clock } from "#platform/clock.ts";

const firstPauseMs = 60_000;
const lastPauseMs = 600_000;

interface HungDisk {
  readonly pauseMs: number;
  readonly untilMs: number;
  /** As it was last known. */
  readonly disk: DiskFacts;
}

export interface SettledRound {
  /** With what hangs said beside it, and those that were left out as they were last known. */
  readonly disks: readonly DiskFacts[];
  /** Mounts that hang since this round. */
  readonly hung: readonly string[];
  /** Mounts that do not any more. */
  readonly back: readonly string[];
}

export class HungThings {
  readonly #clock: Clock;
  #mounts: ReadonlySet<string> = new Set();
  #isInDoubt = false;
  readonly #disks = new Map<DiskKey, HungDisk>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody was silent in the last round, for too short a time to be sure. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** The child did not come back from it. */
  disk(key: DiskKey, disk: DiskFacts): void {
    const before = this.#disks.get(key)?.pauseMs;
    const pauseMs = before === undefined ? firstPauseMs : Math.min(2 * before, lastPauseMs);
    this.#disks.set(key, { pauseMs, untilMs: this.#clock.monotonicMs() + pauseMs, disk });
  }

  /** What the next round is to leave alone. */
  avoided(): readonly DiskKey[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#disks].filter(([, { untilMs }]) => untilMs > nowMs).map(([key]) => key);
  }

  settle(answer: RoundAnswer): SettledRound {
    const silent = Object.entries(answer.silentMounts);
    const mounts = new Set(
      silent.filter(([, forMs]) => forMs >= probeLimits.hungMs).map(([point]) => point),
    );
    const before = this.#mounts;
    this.#mounts = mounts;
    this.#isInDoubt = silent.length > mounts.size;
    const left: DiskFacts[] = [];
    for (const [key, { disk }] of this.#disks) {
      if (answer.avoided.includes(key)) left.push(withProblem(disk, "it does not answer"));
      else this.#disks.delete(key);
    }
    const here = answer.disks.map((disk) =>
      mountsOf(disk)
        .filter(({ point }) => mounts.has(point))
        .map(({ point }) => `its file system at ${point} does not answer`)
        .reduce(withProblem, disk),
    );
    return {
      disks: [...here, ...left].sort((one, other) =>
        one.name.localeCompare(other.name, "en", { numeric: true }),
      ),
      hung: [...mounts].filter((point) => !before.has(point)),
      back: [...before].filter((point) => !mounts.has(point)),
    };
  }
}

function mountsOf(disk: DiskFacts): DiskFacts["mounts"] {
  return [...disk.mounts, ...disk.partitions.flatMap(({ mounts }) => mounts)];
}

function withProblem(disk: DiskFacts, words: string): DiskFacts {
  return disk.problems.includes(words) ? disk : { ...disk, problems: [...disk.problems, words] };
}
