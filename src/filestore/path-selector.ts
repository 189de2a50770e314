/**
 * Which store path takes a new file when the client leaves it to the storage: round robin over the writable ones above
 * the reserve, or the one with most free space (protocol §9.3, §9.4). A path whose disk does not answer is passed over as
 * long as another one fits. Pure; the caller keeps the rotation.
 */
import type { ReservedSpace } from "#filestore/settings.ts";

export interface PathSpace {
  readonly index: number;
  readonly writable: boolean;
  /** It hangs, or refused a write a moment ago: the last choice. */
  readonly avoided: boolean;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Paths of this node on the same file system, this one included; 1 where it is not said. */
  readonly sharers?: number;
}

export type StorePathPolicy = "round-robin" | "most-free";

const mebibyte = 1024 * 1024;

/** Whether `sizeBytes` more may be stored on `path` without touching the reserve; all comparisons are strict. */
export function hasRoom(
  path: Pick<PathSpace, "totalBytes" | "freeBytes" | "sharers">,
  sizeBytes: number,
  limit: { readonly reserved: ReservedSpace; readonly pathCount: number },
): boolean {
  const freeMb = Math.floor(path.freeBytes / mebibyte) - Math.floor(sizeBytes / mebibyte);
  if (limit.reserved.kind === "bytes") {
    const reservedMb = Math.floor(limit.reserved.bytes / mebibyte);
    const share = (reservedMb * (path.sharers ?? 1)) / limit.pathCount;
    return freeMb > Math.floor(share);
  }
  const totalMb = Math.floor(path.totalBytes / mebibyte);
  return totalMb > 0 && freeMb / totalMb > limit.reserved.percent / 100;
}

interface Selection {
  readonly policy: StorePathPolicy;
  readonly start: number;
  readonly reserved: ReservedSpace;
}

export interface Selected {
  readonly chosen: PathSpace;
  readonly nextStart: number;
}

/** Positions in `paths`: where to store, and where the next search begins; undefined when nothing has room. */
export function selectPath(
  paths: readonly PathSpace[],
  sizeBytes: number,
  how: Selection,
): Selected | undefined {
  const limit = { reserved: how.reserved, pathCount: Math.max(1, paths.length) };
  const fits = (path: PathSpace): boolean => path.writable && hasRoom(path, sizeBytes, limit);
  return (
    selectAmong(paths, how, (path) => !path.avoided && fits(path)) ?? selectAmong(paths, how, fits)
  );
}

function selectAmong(
  paths: readonly PathSpace[],
  how: Selection,
  fits: (path: PathSpace) => boolean,
): Selected | undefined {
  if (how.policy === "most-free") {
    let best: PathSpace | undefined;
    for (const path of paths) {
      if (fits(path) && (best === undefined || path.freeBytes > best.freeBytes)) best = path;
    }
    return best === undefined ? undefined : { chosen: best, nextStart: how.start };
  }
  for (let step = 0; step < paths.length; step += 1) {
    const at = (how.start + step) % paths.length;
    const path = paths[at];
    if (path !== undefined && fits(path)) {
      return { chosen: path, nextStart: (at + 1) % paths.length };
    }
  }
  return undefined;
}
