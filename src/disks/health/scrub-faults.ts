/**
 * What scrubs found on the store paths, told once against the disk that carries each. A scrub of a few files is begun and over between two
 * looks, so that it counts as a whole the first time it is seen; one that was seen before, by what was found since. Main thread.
 */
import { type FaultLog, grownBy } from "#disks/health/fault-log.ts";

/** Of a store path; `PathOfDisk` satisfies it. */
export interface ScrubOfPath {
  readonly index: number;
  /** Unix seconds; 0 where there was none. */
  readonly scrubBegunAt: number;
  readonly unreadableFiles: number;
  readonly rottenFiles: number;
  readonly unsteadyFiles: number;
}

const found = ["unreadableFiles", "rottenFiles", "unsteadyFiles"] as const;

export class ScrubFaults {
  /** By store path, whichever disk carried it: where one has moved, its last scrub says nothing of the new disk. */
  readonly #seen = new Map<number, ScrubOfPath>();
  readonly #sinceSeconds: number;

  /** What began before `sinceSeconds`, in Unix time, was seen by another process, or on another disk. */
  constructor(sinceSeconds: number) {
    this.#sinceSeconds = sinceSeconds;
  }

  look(path: ScrubOfPath, at: { readonly log: FaultLog; readonly nowSeconds: number }): void {
    const before = this.#seen.get(path.index);
    const isNew =
      before === undefined
        ? path.scrubBegunAt >= this.#sinceSeconds
        : before.scrubBegunAt !== path.scrubBegunAt;
    for (const kind of found) {
      const grown = isNew ? path[kind] : grownBy(before?.[kind], path[kind]);
      at.log.note(kind, grown, at.nowSeconds);
    }
    this.#seen.set(path.index, path);
  }
}
