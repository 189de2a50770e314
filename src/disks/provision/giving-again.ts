/**
 * Goes on by itself with what an end of the node interrupted: the yes was given, and the disk itself says which work on it did not come to its
 * end. Asks only disks that nobody uses, once a plugging, and only while a work is open; what fails again waits for a person. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { DiskGiving } from "#disks/provision/disk-giving.ts";
import { type DiskFacts, diskKeyOf } from "#model/disk-facts.ts";

export interface GivingAgainParts {
  readonly giving: Pick<DiskGiving, "givings" | "prepare" | "resume">;
  readonly disks: () => readonly DiskFacts[];
  readonly log: Log;
}

export class GivingAgain {
  readonly #parts: GivingAgainParts;
  /** Those that the last run left open; what is interrupted in this one was seen by whoever gave the disk. */
  readonly #open: Set<string>;
  readonly #asked = new Set<string>();
  #looking: Promise<void> | undefined;

  constructor(parts: GivingAgainParts) {
    this.#parts = parts;
    const { givings } = parts.giving;
    const left = givings.filter(({ state }) => state === "interrupted");
    this.#open = new Set(left.map(({ diskId }) => diskId));
  }

  /** To be called at the start, and whenever a disk has come. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    for (const disk of this.#parts.disks()) {
      const key = diskKeyOf(disk);
      if (this.#open.size === 0) return;
      if (this.#asked.has(key) || !isFree(disk)) continue;
      this.#asked.add(key);
      await this.#ask(disk);
    }
  }

  async #ask({ name, sequence }: DiskFacts): Promise<void> {
    const { giving, log } = this.#parts;
    if (sequence === undefined) return;
    try {
      const { unfinished, device } = await giving.prepare(name);
      if (unfinished?.canContinue !== true || device.sequence !== sequence) return;
      const open = giving.givings.find(({ diskId }) => diskId === unfinished.diskId);
      if (open?.state !== "interrupted" || !this.#open.delete(open.diskId)) return;
      log.notice("disk-giving-goes-on", { disk: name, diskId: open.diskId });
      giving.resume({ disk: name, sequence, diskId: open.diskId, undo: false });
    } catch (error) {
      log.warn("disk-not-asked", { disk: name, why: describeError(error) });
    }
  }
}

/** Nothing of it is mounted or held, and it is not the system's. */
function isFree({ mounts, partitions, ofSystem, readOnly, sizeBytes }: DiskFacts): boolean {
  const used = [{ mounts }, ...partitions].some((part) => part.mounts.length > 0);
  return !used && !ofSystem && !readOnly && sizeBytes > 0;
}
