/**
 * Reads disks on which nothing is known to be, in the background, one second's worth after the other: so that a person who gives such a disk
 * need not wait for the proof that it is blank, and is told beforehand what of it cannot be read. It waits while clients are served, wakes
 * no disk, and goes on where it was, also after this process was started anew: what was read is the helper's to remember, until the disk is
 * unplugged or written to. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import { minimumDiskBytes } from "#disks/guard/may-write.ts";
import type { DiskGiving } from "#disks/provision/disk-giving.ts";
import { type DiskFacts, type DiskKey, diskKeyOf } from "#model/disk-facts.ts";
import type { Clock, Timer } from "#platform/clock.ts";

/** `data`: something else than zeros was found, so that the rest does not matter. `unreadable`: the disk does not give what is there. */
export type BlankState = "waiting" | "reading" | "blank" | "data" | "unreadable";

export interface BlankProgress {
  readonly state: BlankState;
  readonly readBytes: number;
  readonly sizeBytes: number;
}

export interface BlankWatchParts {
  readonly giving: Pick<DiskGiving, "read" | "givings">;
  readonly clock: Clock;
  readonly log: Log;
  readonly disks: () => readonly DiskFacts[];
  /** It carries something of ours, or was let go of. */
  readonly isTaken: (disk: DiskFacts) => boolean;
  /** Clients are being served. */
  readonly isBusy: () => boolean;
  /** Without waking it. */
  readonly mayRead: (disk: string) => boolean;
  /** 0: never. */
  readonly bytesPerSecond: number;
}

const turnMs = 1000;
/** After a question that failed, such as because somebody else works on the disk. */
const retryMs = 60_000;
const maxDisks = 64;

interface Watched {
  progress: BlankProgress;
  /** Monotonic. */
  notBeforeMs: number;
}

export class BlankWatch {
  readonly #parts: BlankWatchParts;
  readonly #watched = new Map<DiskKey, Watched>();
  #timer: Timer | undefined;
  #isRunning = false;
  #stopped = false;

  constructor(parts: BlankWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#parts.bytesPerSecond > 0) {
      this.#timer = this.#parts.clock.every(turnMs, () => this.turn());
    }
  }

  /** What is being read goes on for a second at most, and is nobody's. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Undefined where a disk is not read, such as because something is on it. */
  progressOf(disk: DiskFacts): BlankProgress | undefined {
    return this.#watched.get(diskKeyOf(disk))?.progress;
  }

  /** The byte from which on the disk does not give what is there. */
  unreadableAt(disk: DiskFacts): number | undefined {
    const progress = this.progressOf(disk);
    return progress?.state === "unreadable" ? progress.readBytes : undefined;
  }

  /** To be called about once a second. */
  turn(): void {
    const { clock, isBusy, mayRead, log } = this.#parts;
    const candidates = this.#candidates();
    const keys = new Set(candidates.map(diskKeyOf));
    for (const key of this.#watched.keys()) if (!keys.has(key)) this.#watched.delete(key);
    if (this.#isRunning || this.#stopped) return;
    const waits = isBusy();
    for (const disk of candidates) {
      const watched = this.#watched.get(diskKeyOf(disk)) ?? this.#meet(disk);
      const isOver = watched.progress.state !== "waiting" && watched.progress.state !== "reading";
      if (isOver || watched.notBeforeMs > clock.monotonicMs()) continue;
      if (waits || !mayRead(disk.name)) {
        watched.progress = { ...watched.progress, state: "waiting" };
        continue;
      }
      ignore(this.#readOn(disk, watched), log, "it never rejects");
      return;
    }
  }

  #meet(disk: DiskFacts): Watched {
    const progress = { state: "waiting", readBytes: 0, sizeBytes: disk.sizeBytes } as const;
    const watched: Watched = { progress, notBeforeMs: 0 };
    this.#watched.set(diskKeyOf(disk), watched);
    return watched;
  }

  /** Nothing of anybody's is known to be on them. */
  #candidates(): readonly DiskFacts[] {
    const { disks, isTaken, giving } = this.#parts;
    const busy = new Set(
      giving.givings.filter(({ state }) => state === "running").map(({ disk }) => disk),
    );
    const isBare = (disk: DiskFacts): boolean =>
      disk.signatures.length === 0 &&
      disk.partitions.length === 0 &&
      disk.mounts.length === 0 &&
      (disk.holders ?? []).length === 0 &&
      disk.problems.length === 0;
    return disks()
      .filter((disk) => isBare(disk) && !disk.ofSystem && disk.bus !== "virtual")
      .filter((disk) => disk.sizeBytes >= minimumDiskBytes && disk.sequence !== undefined)
      .filter((disk) => !busy.has(disk.name) && !isTaken(disk))
      .slice(0, maxDisks);
  }

  async #readOn(disk: DiskFacts, watched: Watched): Promise<void> {
    const { giving, bytesPerSecond, clock, log } = this.#parts;
    this.#isRunning = true;
    watched.progress = { ...watched.progress, state: "reading" };
    try {
      const found = await giving.read(disk.name, disk.sequence ?? 0, bytesPerSecond);
      const { done, blank, readBytes, sizeBytes, dataAtBytes, unreadableAtBytes } = found;
      const ended = blank ? "blank" : dataAtBytes === undefined ? "unreadable" : "data";
      watched.progress = { state: done ? ended : "reading", readBytes, sizeBytes };
      const told = { disk: disk.name, readBytes, dataAtBytes, unreadableAtBytes };
      if (done && ended === "unreadable") log.warn("disk-not-readable", told);
      else if (done) log.notice("disk-read", { ...told, blank });
    } catch (error) {
      watched.progress = { ...watched.progress, state: "waiting" };
      watched.notBeforeMs = clock.monotonicMs() + retryMs;
      log.debug("disk-not-read", { disk: disk.name, why: describeError(error) });
    } finally {
      this.#isRunning = false;
    }
  }
}
