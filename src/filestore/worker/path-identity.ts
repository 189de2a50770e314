/**
 * Which store path this is: an id of its own lies on each, so that an empty disk in the place of one that had files is known, and so that a
 * mount point without its disk is never taken for either. Looked at before anything is written. Worker thread.
 */
import { readSmallFile, replaceFile } from "#filestore/binlog/binlog-files.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { formatKeyValueLines, parseKeyValueLines } from "#filestore/formats/key-value-lines.ts";
import type { KnownPath, StorePathSettings } from "#filestore/settings.ts";
import { directoryNumbers } from "#filestore/worker/directory-tree.ts";
import type { FileStoreError } from "#filestore/worker/disk-failure.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { FileError, type Files } from "#platform/files.ts";

/** What the main thread is told of an opened path. */
export interface PathIdentity extends KnownPath {
  /** It carried no id before this start, or before one that came to no end. */
  readonly isNew: boolean;
  /** Somebody's files, or the traces of an earlier start, were there when it got its id. */
  readonly hadFiles: boolean;
  /** Its binlog ends before what an earlier start had noted of it: it was lost, or cut. */
  readonly lostBinlog: boolean;
}

export interface SeenPath {
  readonly id: string | undefined;
  readonly ownMount: boolean;
  readonly hadFiles: boolean;
}

const maxBytes = 4096;
const idPattern = /^[0-9a-f]{32}$/;

/** Looks only. Throws `FileError`. */
export function seePath(files: Files, layout: FileLayout): SeenPath {
  const text = readSmallFile(files, pathOf(layout), maxBytes);
  const values = parseKeyValueLines(text ?? "");
  const id = values.get("id");
  const isId = id !== undefined && idPattern.test(id);
  const traces = [layout.state, `${layout.data}/.fastdfs_vars`];
  // Noted with the id: what is here since may be of a start that came no further.
  const hadFiles = isId
    ? values.get("had_files") !== "0"
    : traces.some((path) => files.stat(path, false) !== undefined) ||
      directoryNumbers(files, layout.data).length > 0;
  return { id: isId ? id : undefined, ownMount: isOwnMount(files, layout), hadFiles };
}

/** Throws `store-path-unfit` where the disk of this path is not mounted, or another path's is. */
export function requireSamePath(
  { identity, directory, takesOver }: StorePathSettings,
  { id, ownMount }: SeenPath,
): void {
  const known = identity?.known;
  if (known === undefined || id === known.id || id === identity?.newId) return;
  if (id !== undefined) {
    if (takesOver === true) return;
    throw unfit(
      directory,
      "holds the files of another store path: swap the disks back, or their mount points; where it is to be this path from now on, start once with take_over = true in its [[storage.path]]",
    );
  }
  if (known.ownMount && !ownMount) {
    throw unfit(
      directory,
      "had a disk of its own, which is not mounted: mount it; an empty new disk, once mounted there, is filled from the peers",
    );
  }
}

/** Gives the path an id where it has none; undefined where there is no room for one. Throws `FileError`. */
export function keepIdentity(
  files: Files,
  layout: FileLayout,
  how: { readonly seen: SeenPath; readonly newId: string },
): Omit<PathIdentity, "lostBinlog"> | undefined {
  const { id, ownMount, hadFiles } = how.seen;
  if (id !== undefined) {
    const isNew = id === how.newId;
    return { id, ownMount, hadFiles: hadFiles || !isNew, isNew };
  }
  const path = pathOf(layout);
  const text = formatKeyValueLines([
    ["id", how.newId],
    ["had_files", hadFiles ? 1 : 0],
  ]);
  try {
    replaceFile(files, path, { temporary: `${path}.new`, text });
  } catch (error) {
    if (error instanceof FileError && error.code === "ENOSPC") return undefined;
    throw error;
  }
  return { id: how.newId, ownMount, hadFiles, isNew: true };
}

function pathOf(layout: FileLayout): string {
  return `${layout.own}/path`;
}

/** True where something is mounted on the directory itself. */
function isOwnMount(files: Files, layout: FileLayout): boolean {
  const own = files.stat(layout.directory, true)?.device;
  const parent = files.stat(`${layout.directory}/..`, true)?.device;
  return own !== undefined && parent !== undefined && own !== parent;
}

function unfit(directory: string, problem: string): FileStoreError {
  return fileStoreError("store-path-unfit", `${directory} ${problem}`);
}
