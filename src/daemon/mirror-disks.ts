/** What a mirror asks of its disks. Pure. */
import { AppError } from "#base/app-error.ts";
import type { StorePathReport } from "#filestore/file-store.ts";

interface Disks {
  /** The kernel's numbers of the file systems that are served. */
  readonly devices: ReadonlySet<number>;
  readonly paths: readonly Pick<StorePathReport, "state" | "directory" | "problem">[];
}

/**
 * Throws `AppError("config-invalid")` where the halves share a file system, unless `mayShare`; and `AppError("store-path-offline")` where
 * neither has a disk. One that is away is nobody's neighbour: that is what a mirror is for.
 */
export function requireDistinctDisks(first: Disks, second: Disks, mayShare: boolean): void {
  const [one, other] = [first, second].map(({ paths }) => paths.filter(isThere));
  if (one?.length === 0 && other?.length === 0) {
    const why = [...first.paths, ...second.paths].map(
      ({ directory, problem = "it cannot be opened" }) => `${directory}: ${problem}`,
    );
    throw new AppError(
      "store-path-offline",
      `neither half of the mirror has a disk: ${why.join("; ")}`,
    );
  }
  const shares = [...first.devices].some((device) => second.devices.has(device));
  if (!shares || mayShare) return;
  const words = [first, second].map(({ paths }) =>
    paths.map(({ directory }) => directory).join(" "),
  );
  throw new AppError(
    "config-invalid",
    `storage.layout: the halves of the mirror (${words.join(" and ")}) lie on one file system, and the loss of its disk would take both; check that each disk is mounted, give each half disks of its own, or set storage.mirror.one_disk = true`,
  );
}

function isThere({ state }: Pick<StorePathReport, "state">): boolean {
  return state !== "offline";
}
