/** Which store path a logical name lies on: its index is part of the name. Main thread. */
import type { AppError } from "#base/app-error.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type { ServedPath } from "#filestore/served-path.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";

const metadataSuffix = "-m";

/** Undefined for what is no name, and for store paths that this node does not have. */
export function findPath(paths: readonly ServedPath[], name: string): ServedPath | undefined {
  const index = parseRemoteFilename(name)?.storePathIndex;
  return index === undefined ? undefined : paths[index];
}

/** As `findPath`, for names of metadata as well, which may be longer. */
export function findPathOfRecord(
  paths: readonly ServedPath[],
  name: string,
): ServedPath | undefined {
  return findPath(paths, name) ?? findPath(paths, withoutSuffix(name));
}

export function notHere(name: string): AppError<FileStoreErrorCode> {
  return fileStoreError("file-invalid", `"${printable(name)}" names no store path of this node`);
}

/** As `notHere`, of what a peer sends: a peer has the store path, and this node may have it soon. */
export function notHereYet(name: string): AppError<FileStoreErrorCode> {
  const place = parseRemoteFilename(name) ?? parseRemoteFilename(withoutSuffix(name));
  if (place === undefined) return notHere(name);
  return fileStoreError(
    "store-path-unready",
    `this node has no store path ${place.storePathIndex}: give it as many as the other storages of its group have`,
  );
}

function withoutSuffix(name: string): string {
  return name.endsWith(metadataSuffix) ? name.slice(0, -metadataSuffix.length) : name;
}

/** A foreign name in a message: no control characters, bounded. */
function printable(name: string): string {
  return JSON.stringify(name.slice(0, 80)).slice(1, -1);
}
