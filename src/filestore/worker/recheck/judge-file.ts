/**
 * Whether a file is what its name says, after a power cut that may have kept the name and lost the content. Names of normal and of packed
 * files tell size and CRC-32; the content is read where it may not have reached the disk, of older files the size alone counts: file
 * systems set it when the content is there. Other names tell nothing, and what did not reach the disk reads as zeros: metadata have none,
 * a slave hardly ever a whole page of them; an appender file may, so it stays, and a peer's copy of the same version counts for more.
 * Worker thread.
 */
import { crc32 } from "node:zlib";
import { zeroRun } from "#filestore/trunk/slot-walk.ts";
import { type FilePlace, isMetadataBase } from "#filestore/worker/file-layout.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import { toldBy } from "#filestore/worker/replicas/replica-content.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { readSlot, slotPlace } from "#filestore/worker/trunk-slot.ts";
import { hasMadeTail } from "#model/file-base.ts";
import { decodeBase, encodedLength, isTrunkBase, normalBaseLength } from "#model/file-id.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";

/** What a file system writes at a time. */
const pageBytes = 4096;
/** At a file's end: fewer are found in many formats. */
const minZeros = 512;

/** `doubtful`: it may be well. */
export type Verdict = "well" | "wrong" | "missing" | "doubtful";

type World = Pick<StorePath, "files" | "layout" | "packed" | "log">;

/** In steps of at most 1 MiB. What cannot be read is left to whoever asks for it. `since`: see `RecheckNote`. */
export function* judgeFile(
  world: World,
  place: FilePlace,
  since: number,
): Generator<undefined, Verdict> {
  try {
    if (isTrunkBase(place.base)) return yield* judgePacked(world, place);
    return yield* judgePlain(world, place, since);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    world.log.error("file-not-rechecked", { name: place.name, problem: error.message });
    return "well";
  }
}

function* judgePlain(
  { files, layout }: World,
  place: FilePlace,
  since: number,
): Generator<undefined, Verdict> {
  const { path, base } = place;
  const stat = files.stat(path, false);
  if (stat === undefined) return "missing";
  if (stat.kind !== "file") return "well";
  const isYoung = stat.changedSeconds >= since;
  const told = toldBy(base);
  if (told === undefined) {
    return isYoung ? yield* judgeByZeros(files, place, stat.sizeBytes) : "well";
  }
  const isRight =
    told.size === stat.sizeBytes &&
    (!isYoung || (yield* crcOfFile(files, path, told.size)) === told.crc32);
  // Another file may have come in its place while it was read.
  if (isRight || files.stat(path, false)?.inode !== stat.inode) return "well";
  return mayBeSlave(files.list(layout.directoryOf(place)) ?? [], base) ? "well" : "wrong";
}

function* judgeByZeros(
  files: Files,
  { path, base }: FilePlace,
  sizeBytes: number,
): Generator<undefined, Verdict> {
  const decoded = decodeBase(base);
  if (decoded === undefined) return "well";
  const isMetadata = isMetadataBase(base);
  const isAppender = !isMetadata && decoded.isAppender && base.length === normalBaseLength;
  if (sizeBytes === 0) return isAppender ? "well" : "wrong";
  const hasZeros = yield* hasZeroPage(files, path, isMetadata ? 1 : minZeros);
  if (!hasZeros) return "well";
  return isAppender ? "doubtful" : "wrong";
}

/** True where a page, or at least `least` bytes at the end of the file or all of it, are zeros. Throws `FileError`. */
function* hasZeroPage(files: Files, path: string, least: number): Generator<undefined, boolean> {
  const descriptor = files.open(path, "read");
  const buffer = Buffer.allocUnsafe(stepBytes);
  try {
    for (let done = 0; ; done += buffer.length) {
      const bytes = buffer.subarray(0, files.read(descriptor, buffer, done));
      for (let at = 0; at < bytes.length; at += pageBytes) {
        const page = bytes.subarray(at, at + pageBytes);
        const isWhole = page.length === pageBytes || done + at === 0;
        if (least === 1 && page.includes(0)) return true;
        if ((isWhole || page.length >= least) && zeroRun(page, 0) === page.length) return true;
      }
      if (bytes.length < buffer.length) return false;
      yield undefined;
    }
  } finally {
    files.close(descriptor);
  }
}

/** As others read it: a slot whose header says something else is another file. */
function* judgePacked(world: World, place: FilePlace): Generator<undefined, Verdict> {
  const slot = slotPlace(world.layout, place);
  if (slot === undefined) return "missing";
  const found = readSlot(world, slot, Buffer.allocUnsafe(trunkHeaderSize));
  if (found === undefined) return "missing";
  if (found.content === "link") return "well";
  const { path, contentOffset, sizeBytes } = slot;
  const descriptor = () => world.packed.descriptors.peek(path);
  const range = { from: contentOffset, length: sizeBytes };
  const crc = yield* crcOfRange(world.files, descriptor, range);
  return crc === slot.decoded.crc32 ? "well" : "wrong";
}

/**
 * A slave with a prefix of digits alone can have a name that reads like a normal file's, with size and CRC-32 of its master: which lies
 * beside it, and has the same first characters.
 */
export function mayBeSlave(names: readonly string[], base: string): boolean {
  const start = base.slice(0, encodedLength);
  return names.some(
    (name) =>
      name !== base &&
      name.length === normalBaseLength &&
      name.startsWith(start) &&
      hasMadeTail(name),
  );
}

function* crcOfFile(
  files: Files,
  path: string,
  length: number,
): Generator<undefined, number | undefined> {
  const descriptor = files.open(path, "read");
  try {
    return yield* crcOfRange(files, () => descriptor, { from: 0, length });
  } finally {
    files.close(descriptor);
  }
}

/** Undefined where the range is not all there. `descriptor` is asked for anew before each step. Throws `FileError`. */
export function* crcOfRange(
  files: Files,
  descriptor: () => FileDescriptor | undefined,
  { from, length }: { readonly from: number; readonly length: number },
): Generator<undefined, number | undefined> {
  const buffer = Buffer.allocUnsafe(Math.min(stepBytes, length));
  let crc = 0;
  for (let done = 0; done < length; ) {
    const wanted = buffer.subarray(0, Math.min(buffer.length, length - done));
    const opened = descriptor();
    const got = opened === undefined ? 0 : files.read(opened, wanted, from + done);
    if (got < wanted.length) return undefined;
    crc = crc32(wanted, crc);
    done += got;
    if (done < length) yield undefined;
  }
  return crc;
}
