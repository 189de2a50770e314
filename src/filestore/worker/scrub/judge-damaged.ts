/**
 * Looks once more at a file that a scrub found to be damaged, and sets it aside where it is: what is left of it goes to `.cairn/aside`, and its
 * name is recorded as not here (`recheck/lost-files.ts`), so that nobody is served it and a peer's copy can come. A packed file of which the header
 * alone is wrong gets it back: its name says all of it. Always keeps what is left:
 * where there is no room for that, the file stays where it is. Worker thread.
 */
import { crc32 } from "node:zlib";
import { formatNew } from "#filestore/formats/staged-name.ts";
import { encodeTrunkHeader, matchTrunkHeader } from "#filestore/formats/trunk-header.ts";
import { parseTrunkPlace } from "#filestore/scrub/damaged-place.ts";
import { emptyTally } from "#filestore/scrub/findings.ts";
import { maxDamaged } from "#filestore/scrub/limits.ts";
import {
  isDiskError,
  type ReadContent,
  readContent,
  readStated,
} from "#filestore/scrub/read-content.ts";
import type { DamagedFile, Judgement } from "#filestore/scrub/scrub-report.ts";
import { makeIfMissing } from "#filestore/worker/directory-tree.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { mayBeSlave } from "#filestore/worker/recheck/judge-file.ts";
import { LostFiles } from "#filestore/worker/recheck/lost-files.ts";
import { toldBy } from "#filestore/worker/replicas/replica-content.ts";
import { slotLockKey } from "#filestore/worker/replicas/replica-slot.ts";
import { lookIntoSlot } from "#filestore/worker/replicas/slot-look.ts";
import { entryAt } from "#filestore/worker/slot-headers.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { slotPlace, type TrunkSlotPlace } from "#filestore/worker/trunk-slot.ts";
import { isTrunkBase } from "#model/file-id.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { type DiskReads, maxDiskRead } from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";

/** A larger packed file is not kept aside as a whole. */
const maxSlotKept = 64 * 1024 * 1024;
/** The type of a header that stands before a link. */
const linkType = 0x4c;

export interface JudgeParts {
  readonly store: StorePath;
  readonly disk: DiskReads;
  /** What the scrub has found there. */
  readonly finding: DamagedFile | undefined;
}

/** By name: a file, or a packed one. In steps of at most 1 MiB. Throws `FileError`. */
export function* judgeNamed(parts: JudgeParts, place: FilePlace): Generator<undefined, Judgement> {
  const { store } = parts;
  if (store.locks.has(lockKey(place.name))) return "busy";
  if (isTrunkBase(place.base)) return yield* judgePacked(parts, place);
  const verdict = yield* judgePlain(parts, place);
  if (verdict !== "damaged") return verdict;
  if (store.locks.has(lockKey(place.name))) return "busy";
  const lost = new LostFiles(store, maxDamaged);
  if (!lost.hasRoom) return "kept";
  lost.wrong(place);
  lost.flush();
  return "aside";
}

type Found = "well" | "missing" | "damaged" | "strange" | "busy";

function* judgePlain(
  { store, disk, finding }: JudgeParts,
  place: FilePlace,
): Generator<undefined, Found> {
  const { files, layout } = store;
  const world = { disk, tally: emptyTally() };
  const told = toldBy(place.base);
  const names = files.list(layout.directoryOf(place)) ?? [];
  if (told !== undefined && !mayBeSlave(names, place.base)) {
    const content = yield* readContent(world, place.path, told.size);
    return foundOf(content, content.state === "read" && content.crc32 === told.crc32);
  }
  const { content, facts } = yield* readStated(world, place.path);
  const isRight = content.state === "read" && content.crc32 === finding?.crc32;
  if (content.state === "read" && facts === undefined) return "busy";
  // Nothing vouches for it: it can be read, and that is all.
  return foundOf(content, isRight || (content.state === "read" && finding?.crc32 === undefined));
}

function foundOf(content: ReadContent, isRight: boolean): Found {
  if (content.state === "gone") return "missing";
  if (content.state === "irregular") return "strange";
  return isRight ? "well" : "damaged";
}

function* judgePacked(parts: JudgeParts, place: FilePlace): Generator<undefined, Judgement> {
  const { store } = parts;
  const slot = slotPlace(store.layout, place);
  if (slot === undefined || store.locks.has(slotLockKey(slot))) return "busy";
  const found = yield* judgeNamedSlot(parts, slot);
  if (found !== "damaged") return found;
  if (store.locks.has(slotLockKey(slot))) return "busy";
  if (yield* isContentWell(parts, slot)) {
    if (store.locks.has(slotLockKey(slot))) return "busy";
    rewriteHeader(store, slot);
    return "mended";
  }
  if (othersIn(store, slot)) return "strange";
  const lost = new LostFiles(store, maxDamaged);
  if (!lost.hasRoom || !keepSlot(parts, slot, formatNew(place))) return "kept";
  lost.wrong(place);
  lost.flush();
  return "aside";
}

/** Read from the disk, header and content are what the name says. Throws `FileError`. */
export function* isPackedWell(
  parts: JudgeParts,
  slot: TrunkSlotPlace,
): Generator<undefined, boolean> {
  return (yield* judgeNamedSlot(parts, slot)) === "well";
}

function judgeNamedSlot(parts: JudgeParts, slot: TrunkSlotPlace): Generator<undefined, Found> {
  return judgeSlot(parts, slot, (header) => {
    return matchTrunkHeader(header, slot.base, slot.decoded) !== undefined;
  });
}

/** All that stands in a header follows from the name; so it may rot, where the content of just this size is what the name says. */
function* isContentWell(parts: JudgeParts, slot: TrunkSlotPlace): Generator<undefined, boolean> {
  if (slot.sizeBytes === 0) return false;
  return (yield* judgeSlot(parts, slot, () => true)) === "well";
}

function rewriteHeader({ files }: StorePath, slot: TrunkSlotPlace): void {
  const { path, offset, base, decoded } = slot;
  const descriptor = files.open(path, "read-write");
  try {
    const type = Buffer.alloc(1);
    files.read(descriptor, type, offset);
    const content = type[0] === linkType ? "link" : "file";
    files.write(descriptor, encodeTrunkHeader(base, decoded, content), offset);
    files.flush(descriptor);
  } finally {
    files.close(descriptor);
  }
}

/** What stands in a slot whose name nobody knows: it is set aside where it is not what its header says. */
export function* judgeNameless(parts: JudgeParts): Generator<undefined, Judgement> {
  const { store, finding } = parts;
  const region = finding?.region;
  const trunk = finding === undefined ? undefined : parseTrunkPlace(finding.place);
  if (region === undefined || trunk === undefined || finding?.damage === "slot-header") {
    return "strange";
  }
  const path = `${store.layout.data}/${trunk.below}`;
  const slot = { path, ...region };
  if (store.locks.has(slotLockKey(slot))) return "busy";
  const sizeBytes = Math.max(0, region.size - trunkHeaderSize);
  const place = { ...slot, sizeBytes, contentOffset: region.offset + trunkHeaderSize };
  const where = {
    fileId: region.fileId,
    offset: region.offset,
    sizeBytes: Number.MAX_SAFE_INTEGER,
  };
  let isThere = false;
  const found = yield* judgeSlot(parts, { ...place, crc32: finding?.crc32 }, (header, content) => {
    const entry = entryAt(Buffer.from(header), 0, where);
    isThere = entry !== undefined && entry.crc32 === finding?.crc32;
    content(entry?.sizeBytes ?? 0);
    return isThere;
  });
  if (found !== "damaged") return found;
  const lost = new LostFiles(store, maxDamaged);
  const name = `slot.${region.fileId}.${region.offset}`;
  if (!lost.hasRoom || !keepSlot(parts, slot, name)) return "kept";
  lost.slot(slot);
  lost.flush();
  return "aside";
}

interface JudgedSlot
  extends Pick<TrunkSlotPlace, "path" | "offset" | "contentOffset" | "sizeBytes"> {
  readonly decoded?: { readonly crc32: number };
  readonly crc32?: number | undefined;
}

/** `matches`: whether the header is the right one; may say how long the content is. */
function* judgeSlot(
  { disk }: JudgeParts,
  slot: JudgedSlot,
  matches: (header: Uint8Array, content: (sizeBytes: number) => void) => boolean,
): Generator<undefined, Found> {
  const expected = slot.decoded?.crc32 ?? slot.crc32;
  let sizeBytes = slot.sizeBytes;
  try {
    const file = disk.open(slot.path);
    try {
      const header = Buffer.from(file.read(trunkHeaderSize, slot.offset));
      if (header.every((byte) => byte === 0)) return "missing";
      const isRight = matches(header, (size) => {
        sizeBytes = size;
      });
      if (header.length < trunkHeaderSize || !isRight) return "damaged";
      let crc = 0;
      for (let done = 0; done < sizeBytes; ) {
        const wanted = Math.min(maxDiskRead, sizeBytes - done);
        const piece = file.read(wanted, slot.contentOffset + done);
        crc = crc32(piece, crc);
        done += piece.length;
        if (piece.length < wanted) return "damaged";
        yield undefined;
      }
      return crc === expected ? "well" : "damaged";
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof FileError && error.code === "ENOENT") return "missing";
    if (isDiskError(error)) return "damaged";
    throw error;
  }
}

/** Files that somebody else has in this slot, each of which is whole. */
function othersIn({ files, packed }: StorePath, slot: TrunkSlotPlace): boolean {
  const descriptor = packed.descriptors.peek(slot.path);
  if (descriptor === undefined) return false;
  const buffer = Buffer.allocUnsafe(64 * 1024);
  const read = (offset: number, length: number): Buffer => {
    const target = buffer.subarray(0, length);
    return target.subarray(0, files.read(descriptor, target, offset));
  };
  try {
    const own = () => new Uint8Array(0);
    const look = lookIntoSlot(read, { offset: slot.offset, size: slot.size, own });
    const isOther = ({ header }: { readonly header: Buffer }): boolean =>
      matchTrunkHeader(header, slot.base, slot.decoded) === undefined;
    return !look.hasRest && look.files.some(isOther);
  } catch (error) {
    if (isDiskError(error)) return false;
    throw error;
  }
}

/** A copy of what can be read of a slot. False where there is no room for one. */
function keepSlot(
  { store, disk }: JudgeParts,
  slot: { readonly path: string; readonly offset: number; readonly size: number },
  name: string,
): boolean {
  const { files, layout } = store;
  const aside = `${layout.own}/aside`;
  try {
    makeIfMissing(files, aside);
    const target = files.open(`${aside}/${name}`, "write");
    try {
      const file = disk.open(slot.path);
      try {
        const size = Math.min(slot.size, maxSlotKept);
        for (let done = 0; done < size; ) {
          const piece = file.read(Math.min(maxDiskRead, size - done), slot.offset + done);
          if (piece.length === 0) break;
          files.write(target, piece);
          done += piece.length;
        }
      } finally {
        file.close();
      }
    } finally {
      files.close(target);
    }
    return true;
  } catch (error) {
    // What the disk does not give cannot be kept.
    if (isDiskError(error)) return true;
    if (error instanceof FileError && error.code === "ENOSPC") return false;
    throw error;
  }
}
