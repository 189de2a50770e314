/** Makes a trunk file, with its whole size and, where changes are flushed, its name on stable storage. Worker thread. */
import type { DirectoryTree } from "#filestore/worker/directory-tree.ts";
import type { Files } from "#platform/files.ts";

export interface TrunkFileWorld {
  readonly files: Files;
  readonly tree: DirectoryTree;
  readonly flushed: boolean;
}

export interface NewTrunkFile {
  readonly path: string;
  /** Its directory. */
  readonly high: number;
  readonly low: number;
  readonly sizeBytes: number;
}

/** Throws `FileError`. */
export function makeTrunkFile({ files, tree, flushed }: TrunkFileWorld, file: NewTrunkFile): void {
  const { path, sizeBytes } = file;
  tree.ensure(file);
  const descriptor = files.open(path, "create");
  try {
    files.truncate(descriptor, sizeBytes);
    if (flushed) files.flush(descriptor);
  } finally {
    files.close(descriptor);
  }
  if (!flushed) return;
  const made = tree.takeUnflushed().map((each) => each.path);
  for (const each of [path.slice(0, path.lastIndexOf("/")), ...made]) files.flushDirectory(each);
}
