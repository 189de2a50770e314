/**
 * Which of the store paths that a disk carries went to another disk since: the same path, by its id, that another disk of this node has with
 * more moves. Its passport was written before the path left, or the box lost its power in between. Pure.
 */
import type { KnownDisk } from "#disks/disk-map.ts";
import type { Passport } from "#disks/passport.ts";

export interface MovedPath {
  readonly index: number;
  /** The disk that has it now is there: nothing is in doubt any more. */
  readonly isSeen: boolean;
}

/** `all`: passports of this node's disks that are there, this one included. What is remembered counts only of disks that are not there. */
export function movedPaths(
  passport: Passport,
  all: readonly Passport[],
  known: readonly KnownDisk[],
): readonly MovedPath[] {
  const others = all.filter(({ diskId }) => diskId !== passport.diskId);
  const there = new Set(all.map(({ diskId }) => diskId));
  const away = known.filter(({ diskId, role }) => role === "store" && !there.has(diskId));
  return passport.paths.flatMap(({ index, id, moves = 0 }): readonly MovedPath[] => {
    const hasLater = (disk: Pick<KnownDisk, "paths">): boolean =>
      disk.paths.some(
        (path) =>
          path.index === index && id !== undefined && path.id === id && (path.moves ?? 0) > moves,
      );
    if (others.some(hasLater)) return [{ index, isSeen: true }];
    return away.some(hasLater) ? [{ index, isSeen: false }] : [];
  });
}
