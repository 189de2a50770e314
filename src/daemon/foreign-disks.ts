/** Disks that wait for somebody's yes, as whoever reads their files sees them: nothing of them is changed. Main thread. */
import { AppError } from "#base/app-error.ts";
import type { DiskShelf } from "#daemon/disk-shelf.ts";
import type { Passport } from "#disks/passport.ts";
import type { DiskFinder, SeenDisk } from "#disks/seen-disk.ts";
import type { DiskId } from "#model/disk-id.ts";

export interface MountedForeign {
  readonly mountPoint: string;
  /** Nobody reads it any more. */
  readonly release: () => Promise<void>;
}

export class ForeignDisks {
  readonly #shelf: Pick<DiskShelf, "look" | "report" | "seen">;
  /** Undefined where nobody could mount anything. */
  readonly #mounting: Pick<DiskFinder, "mount" | "release"> | undefined;

  constructor(
    shelf: Pick<DiskShelf, "look" | "report" | "seen">,
    mounting: Pick<DiskFinder, "mount" | "release"> | undefined,
  ) {
    this.#shelf = shelf;
    this.#mounting = mounting;
  }

  /** Throws what stands against it. */
  passport(diskId: DiskId): Passport {
    return this.#find(diskId).passport;
  }

  /** Where it is, mounted for reading alone where it was not mounted. Rejects with what stands against it. */
  async mount(diskId: DiskId): Promise<MountedForeign> {
    await this.#shelf.look();
    const { disk } = this.#find(diskId);
    if (disk.mountPoint !== undefined) {
      return { mountPoint: disk.mountPoint, release: async () => {} };
    }
    const mountPoint = await this.#mounting?.mount?.(disk, true);
    if (mountPoint === undefined) throw unknown(diskId);
    return { mountPoint, release: async () => this.#mounting?.release?.(mountPoint) };
  }

  #find(diskId: DiskId): { readonly disk: SeenDisk; readonly passport: Passport } {
    const verdict = this.#shelf.report.disks.find((each) => each.diskId === diskId);
    const disk = this.#shelf.seen.find(({ place }) => place === verdict?.place);
    if (verdict === undefined || disk?.passport.kind !== "genuine") throw unknown(diskId);
    if (verdict.kind === "foreign") return { disk, passport: disk.passport.passport };
    throw new AppError("disk-not-foreign", `${verdict.name} ${verdict.says}`);
  }
}

function unknown(diskId: string): AppError {
  return new AppError(
    "disk-unknown",
    `no disk ${diskId} is there: "cairn disk found" lists those that are`,
  );
}
