/**
 * Copies what is used of a trunk file to the same places of a new one, which takes less room for having holes, and puts that in its
 * place. Until then everything is read from, and cleared in, the old one. Worker thread.
 */
import type { Extent } from "#filestore/trunk/free-extents.ts";
import type { TrunkFile } from "#filestore/trunk/trunk-space.ts";
import { writeZeros } from "#filestore/trunk/trunk-zeros.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

export interface UsedCopy {
  readonly fileId: number;
  readonly from: string;
  /** Path of the new file. */
  readonly to: string;
  /** What was cleared in the old file since the copy began. */
  readonly cleared: Extent[];
}

const pieceBytes = 1024 * 1024;

/** In steps; the last one puts the copy in place. What is not put there is removed. Throws `FileError`. */
export function* copyUsed(
  files: Files,
  copy: UsedCopy,
  layout: { readonly file: TrunkFile; readonly free: readonly Extent[] },
): Generator<void, void> {
  const { from, to } = copy;
  files.remove(to);
  const source = files.open(from, "read");
  const target = files.open(to, "create");
  let placed = false;
  try {
    files.truncate(target, layout.file.sizeBytes);
    const buffer = Buffer.allocUnsafe(pieceBytes);
    for (const { offset, size } of usedExtents(layout)) {
      for (let done = 0; done < size; ) {
        const wanted = buffer.subarray(0, Math.min(buffer.length, size - done));
        const got = files.read(source, wanted, offset + done);
        if (got === 0) break;
        files.write(target, wanted.subarray(0, got), offset + done);
        done += got;
        yield;
      }
    }
    files.flush(target);
    yield;
    clearMissed(files, target, copy);
    files.rename(to, from);
    placed = true;
    files.flushDirectory(from.slice(0, from.lastIndexOf("/")));
  } finally {
    files.close(source);
    files.close(target);
    if (!placed) files.remove(to);
  }
}

/** Deletions that the copy has not seen. */
function clearMissed(files: Files, target: FileDescriptor, copy: UsedCopy): void {
  if (copy.cleared.length === 0) return;
  for (const extent of copy.cleared) writeZeros(files, target, extent);
  files.flush(target);
}

function* usedExtents(layout: {
  readonly file: TrunkFile;
  readonly free: readonly Extent[];
}): Generator<Extent, void> {
  let at = 0;
  for (const { offset, size } of layout.free) {
    if (offset > at) yield { offset: at, size: offset - at };
    at = offset + size;
  }
  if (at < layout.file.sizeBytes) yield { offset: at, size: layout.file.sizeBytes - at };
}
