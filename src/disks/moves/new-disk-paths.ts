/** Which store paths a disk is to carry that is given to the node: those of a disk that is lost, or new ones. Pure. */
import { AppError } from "#base/app-error.ts";
import type { KnownDisk } from "#disks/disk-map.ts";
import { StorePathIndex, storePathPrefix } from "#model/store-path-index.ts";

/** A disk of the node that is not there, with store paths that no other one carries. */
export interface LostDisk {
  readonly disk: KnownDisk;
  readonly storePaths: readonly number[];
}

/** Those that are gone for longest first. `absent`: store paths without a disk now. */
export function lostDisks(
  known: readonly KnownDisk[],
  absent: readonly number[],
): readonly LostDisk[] {
  return known
    .filter(({ role }) => role === "store")
    .map((disk) => ({
      disk,
      storePaths: disk.paths.map(({ index }) => index).filter((index) => absent.includes(index)),
    }))
    .filter(({ storePaths }) => storePaths.length > 0)
    .sort((one, other) => one.disk.seenAt - other.disk.seenAt);
}

/** Throws `store-path-taken` where a path that was agreed on is not without a disk. */
export function requireAbsent(wanted: readonly number[], absent: readonly number[]): void {
  const taken = wanted.find((index) => !absent.includes(index));
  if (taken === undefined) return;
  const name = storePathPrefix(StorePathIndex(taken));
  throw new AppError(
    "store-path-taken",
    `${name} is not without a disk: look again what the new disk would take the place of`,
  );
}
