/** Overwriting parts of trunk files by zeros, in bounded pieces. Worker thread. */
import { zeroRun } from "#filestore/trunk/slot-walk.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

const pieceBytes = 1024 * 1024;
/** What is looked at at a time: a piece that is zeros already is not written, so that holes stay holes. */
const checkedBytes = 64 * 1024;

/** Nobody writes into it; as long as nobody does, it takes no memory. */
const zeros = Buffer.alloc(pieceBytes);

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

/** Makes zeros of whatever is in a region and is none; true where there was something. Throws `FileError`. */
export function clearRegion(
  files: Files,
  descriptor: FileDescriptor,
  region: { readonly offset: number; readonly size: number },
): boolean {
  const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, region.size));
  let found = false;
  for (let done = 0; done < region.size; ) {
    const wanted = buffer.subarray(0, Math.min(buffer.length, region.size - done));
    const got = files.read(descriptor, wanted, region.offset + done);
    if (got === 0) break;
    for (let at = 0; at < got; at += checkedBytes) {
      const piece = wanted.subarray(at, Math.min(at + checkedBytes, got));
      if (zeroRun(piece, 0) === piece.length) continue;
      found = true;
      files.write(descriptor, zeros.subarray(0, piece.length), region.offset + done + at);
    }
    done += got;
  }
  return found;
}
