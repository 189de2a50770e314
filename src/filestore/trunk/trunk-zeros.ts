/** Overwriting parts of trunk files by zeros, in bounded pieces. Worker thread. */
import { zeroRun } from "#filestore/trunk/slot-walk.ts";
import { isFull } from "#filestore/worker/disk-failure.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

const maxPieceBytes = 1024 * 1024;
/** What is looked at at a time: a piece that is zeros already is not written, so that holes stay holes. */
const checkedBytes = 64 * 1024;

/** What holes are multiples of, at least (ext4's smallest block). */
const fileSystemBlockBytes = 1024;

/** Nobody writes into it; as long as nobody does, it takes no memory. */
const zeros = Buffer.alloc(maxPieceBytes);

/** Writes zeros over a region. Throws `FileError`. */
export function writeZeros(
  files: Files,
  descriptor: FileDescriptor,
  region: { readonly offset: number; readonly size: number },
): void {
  for (let done = 0; done < region.size; done += zeros.length) {
    const piece = zeros.subarray(0, Math.min(zeros.length, region.size - done));
    files.write(descriptor, piece, region.offset + done);
  }
}

/** As `writeZeros`; on a full disk holes stay holes, so that it needs no room where others have it. Throws `FileError`. */
export function overwrite(
  files: Files,
  descriptor: FileDescriptor,
  region: { readonly offset: number; readonly size: number },
): void {
  try {
    writeZeros(files, descriptor, region);
  } catch (error) {
    if (!isFull(error)) throw error;
    clearRegion(files, descriptor, { ...region, pieceBytes: fileSystemBlockBytes });
  }
}

/** Makes zeros of whatever is in a region and is none; true where there was something. Throws `FileError`. */
export function clearRegion(
  files: Files,
  descriptor: FileDescriptor,
  region: { readonly offset: number; readonly size: number; readonly pieceBytes?: number },
): boolean {
  const { pieceBytes = checkedBytes } = region;
  const buffer = Buffer.allocUnsafe(Math.min(maxPieceBytes, region.size));
  let found = false;
  for (let done = 0; done < region.size; ) {
    const wanted = buffer.subarray(0, Math.min(buffer.length, region.size - done));
    const got = files.read(descriptor, wanted, region.offset + done);
    if (got === 0) break;
    let end = 0;
    for (let at = 0; at < got; at = end) {
      // Pieces end where those of the file do.
      const position = region.offset + done + at;
      end = Math.min(at + pieceBytes - (position % pieceBytes), got);
      const piece = wanted.subarray(at, end);
      if (zeroRun(piece, 0) === piece.length) continue;
      found = true;
      files.write(descriptor, zeros.subarray(0, piece.length), region.offset + done + at);
    }
    done += got;
  }
  return found;
}
