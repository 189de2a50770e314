/** What the store paths of a disk tell against it: counts that only grow, and for how long one is not served. Main thread. */
import { type FaultLog, grownBy } from "#disks/health/fault-log.ts";
import type { ScrubFaults } from "#disks/health/scrub-faults.ts";

/** Of a store path, as the store reports it. */
export interface PathOfDisk {
  readonly index: number;
  readonly directory: string;
  /** Not served because of its disk. */
  readonly unserved: boolean;
  /** Since the start of the node. */
  readonly quarantines: number;
  readonly abandoned: number;
  readonly failedRequests: number;
  /** Unix seconds; 0 where there was none. */
  readonly scrubBegunAt: number;
  /** Of the scrub under way, or the last one. */
  readonly unreadableFiles: number;
  readonly rottenFiles: number;
  readonly unsteadyFiles: number;
}

const counted = [
  ...(["quarantines", "abandoned", "failedRequests"] as const),
] as const satisfies readonly (keyof PathOfDisk)[];

interface Seen {
  readonly path: PathOfDisk;
  readonly unservedSinceMs: number | undefined;
}

export class PathFaults {
  readonly #seen = new Map<number, Seen>();

  /** The paths that lie on this disk now. */
  look(
    paths: readonly PathOfDisk[],
    at: {
      readonly log: FaultLog;
      readonly scrubs: ScrubFaults;
      readonly nowMs: number;
      readonly nowSeconds: number;
    },
  ): void {
    const indexes = new Set(paths.map(({ index }) => index));
    for (const index of this.#seen.keys()) if (!indexes.has(index)) this.#seen.delete(index);
    for (const path of paths) {
      const before = this.#seen.get(path.index);
      for (const kind of counted) {
        at.log.note(kind, grownBy(before?.path[kind], path[kind]), at.nowSeconds);
      }
      at.scrubs.look(path, at);
      const unservedSinceMs = path.unserved ? (before?.unservedSinceMs ?? at.nowMs) : undefined;
      this.#seen.set(path.index, { path, unservedSinceMs });
    }
  }

  /** Of the path that waits for longest. */
  unservedSeconds(nowMs: number): number {
    const since = [...this.#seen.values()].map(({ unservedSinceMs }) => unservedSinceMs ?? nowMs);
    return Math.floor(Math.max(0, ...since.map((ms) => nowMs - ms)) / 1000);
  }
}
