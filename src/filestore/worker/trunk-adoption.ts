/**
 * Taking over the trunk binlog of a C storage whose base path lies apart from its first store path (protocol §4.6, §5.1): copied, so that C
 * can have its own back. What an interrupted compression had put aside comes first: both together tell everything, if some of it twice.
 * Worker thread.
 */
import { makeIfMissing } from "#filestore/worker/directory-tree.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import type { Files } from "#platform/files.ts";

/** For the first start alone; may be interrupted and run again. True where there was one. Throws `FileError`. */
export function adoptTrunkBinlog(files: Files, layout: FileLayout, basePath: string): boolean {
  const own = `${layout.data}/trunk`;
  const foreign = `${basePath}/data/trunk`;
  if (basePath === "" || files.stat(own, true) !== undefined) return false;
  const found = [`${foreign}/binlog.rollback`, `${foreign}/binlog`].filter(
    (path) => files.stat(path, true)?.kind === "file",
  );
  if (found.length === 0) return false;
  const building = `${layout.own}/adopting-trunk`;
  makeIfMissing(files, building);
  const target = files.open(`${building}/binlog`, "write");
  try {
    for (const path of found) copy(files, path, target);
    files.flush(target);
  } finally {
    files.close(target);
  }
  files.flushDirectory(building);
  files.rename(building, own);
  files.flushDirectory(layout.data);
  return true;
}

function copy(files: Files, path: string, target: number): void {
  const source = files.open(path, "read");
  try {
    const piece = Buffer.alloc(stepBytes);
    for (let offset = 0; ; ) {
      const length = files.read(source, piece, offset);
      if (length === 0) return;
      files.write(target, piece.subarray(0, length));
      offset += length;
    }
  } finally {
    files.close(source);
  }
}
