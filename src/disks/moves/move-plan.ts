/**
 * Where the store paths of a disk can go, and which should lie elsewhere, as data: for people to read before they say yes, and for whoever
 * moves them then. Pure.
 */
import { AppError } from "#base/app-error.ts";
import type { DiskId } from "#model/disk-id.ts";
import { roughSize } from "#model/disk-words.ts";
import { StorePathIndex, storePathPrefix } from "#model/store-path-index.ts";

export interface MovableDisk {
  readonly diskId: DiskId;
  /** For people. */
  readonly name: string;
  /** Store paths that are served from it. */
  readonly paths: readonly MovablePath[];
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Why nothing can be put there; undefined where something can. */
  readonly unfit: string | undefined;
}

export interface MovablePath {
  readonly index: number;
  /** What it takes on its disk; as much as all of that where it shares it and nobody counted. */
  readonly usedBytes: number;
}

export interface PlannedMove {
  readonly storePath: number;
  readonly from: MovableDisk;
  readonly to: MovableDisk;
  readonly bytes: number;
}

/** As many as a passport has room for. */
const maxPathsOfDisk = 16;
/** What stays free on a disk, as a part of it: file systems need some, and so do changes that come meanwhile. */
const spareShare = 0.02;

/** Where each path of the disk goes: the largest first, to the disk with most room. Throws `no-room` in words. */
export function planRetire(disk: MovableDisk, all: readonly MovableDisk[]): readonly PlannedMove[] {
  const others = all.filter(({ diskId }) => diskId !== disk.diskId);
  const taken = new Map<DiskId, { bytes: number; paths: number }>();
  const moves: PlannedMove[] = [];
  for (const path of [...disk.paths].sort((one, other) => other.usedBytes - one.usedBytes)) {
    const best = bestFor(path.usedBytes, others, taken);
    if (best === undefined) throw noRoom(disk, path, others);
    const { bytes, paths } = taken.get(best.diskId) ?? { bytes: 0, paths: 0 };
    taken.set(best.diskId, { bytes: bytes + path.usedBytes, paths: paths + 1 });
    moves.push({ storePath: path.index, from: disk, to: best, bytes: path.usedBytes });
  }
  return moves.sort((one, other) => one.storePath - other.storePath);
}

/**
 * Whole paths from disks that carry several, more than each is to have, to disks that carry fewer and have room: each goes to the emptiest.
 * Nothing where there is nothing to gain.
 */
export function planRebalance(
  disks: readonly MovableDisk[],
  pathsPerDisk: number,
): readonly PlannedMove[] {
  const counts = new Map(disks.map(({ diskId, paths }) => [diskId, paths.length]));
  const taken = new Map<DiskId, { bytes: number; paths: number }>();
  const moves: PlannedMove[] = [];
  const crowded = disks
    .filter(({ paths }) => paths.length > Math.max(1, pathsPerDisk))
    .sort((one, other) => other.paths.length - one.paths.length);
  for (const disk of crowded) {
    // The first ones are its own, what came later are guests.
    for (const path of [...disk.paths].sort((one, other) => other.index - one.index)) {
      const count = counts.get(disk.diskId) ?? 0;
      if (count <= Math.max(1, pathsPerDisk)) break;
      const emptier = disks.filter(({ diskId }) => (counts.get(diskId) ?? 0) + 1 < count);
      const fewest = Math.min(...emptier.map(({ diskId }) => counts.get(diskId) ?? 0));
      const fit = emptier.filter(({ diskId }) => (counts.get(diskId) ?? 0) === fewest);
      const best = bestFor(path.usedBytes, fit, taken) ?? bestFor(path.usedBytes, emptier, taken);
      if (best === undefined) continue;
      const { bytes, paths } = taken.get(best.diskId) ?? { bytes: 0, paths: 0 };
      taken.set(best.diskId, { bytes: bytes + path.usedBytes, paths: paths + 1 });
      counts.set(disk.diskId, count - 1);
      counts.set(best.diskId, (counts.get(best.diskId) ?? 0) + 1);
      moves.push({ storePath: path.index, from: disk, to: best, bytes: path.usedBytes });
    }
  }
  return moves;
}

/** Where a path that is empty, or is filled from peers, is made: with most room, and for as much as is expected. */
export function roomiestDisk(
  disks: readonly MovableDisk[],
  expectedBytes: number,
): MovableDisk | undefined {
  return bestFor(expectedBytes, disks, new Map());
}

function bestFor(
  bytes: number,
  disks: readonly MovableDisk[],
  taken: ReadonlyMap<DiskId, { readonly bytes: number; readonly paths: number }>,
): MovableDisk | undefined {
  let best: MovableDisk | undefined;
  for (const disk of disks) {
    if (disk.unfit !== undefined) continue;
    const there = taken.get(disk.diskId) ?? { bytes: 0, paths: 0 };
    if (disk.paths.length + there.paths >= maxPathsOfDisk) continue;
    if (roomOf(disk) - there.bytes < bytes) continue;
    const room = roomOf(disk) - there.bytes;
    const most = best === undefined ? -1 : roomOf(best) - (taken.get(best.diskId)?.bytes ?? 0);
    if (room > most) best = disk;
  }
  return best;
}

function roomOf({ freeBytes, totalBytes }: MovableDisk): number {
  return freeBytes - totalBytes * spareShare;
}

function noRoom(disk: MovableDisk, path: MovablePath, others: readonly MovableDisk[]): AppError {
  const fit = others.filter(({ unfit }) => unfit === undefined);
  const rooms = fit.map((each) => `${each.name} ${roughSize(Math.max(0, roomOf(each)))}`);
  const unfit = others.flatMap(({ name, unfit: why }) =>
    why === undefined ? [] : `${name} ${why}`,
  );
  const there = [...rooms.map((each) => `${each} to spare`), ...unfit];
  return new AppError(
    "no-room",
    `${storePathPrefix(StorePathIndex(path.index))} of ${disk.name} takes ${roughSize(path.usedBytes)}, and no other disk has room for that (${there.join("; ") || "there is none"}): add a disk first`,
  );
}
