/**
 * Files that a C storage packed into trunk files of this store path: finding the slot of a name, and giving it up (protocol
 * §4.2, §4.3). New files are not packed. Worker thread.
 */
import { matchTrunkHeader, type TrunkSlotContent } from "#filestore/formats/trunk-header.ts";
import type { FileLayout, FilePlace } from "#filestore/worker/file-layout.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import { decodeBase, trunkBaseLength } from "#model/file-id.ts";
import { trunkFilename, trunkHeaderSize } from "#model/trunk-location.ts";
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";

export interface TrunkSlotPlace {
  /** Of the trunk file. */
  readonly path: string;
  /** Of the slot in it, and of the file's content. */
  readonly offset: number;
  readonly contentOffset: number;
  readonly slotSize: number;
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
  readonly crc32: number;
}

/** A slot that was found open, for the content to be read. */
export interface OpenSlot {
  readonly place: TrunkSlotPlace;
  readonly content: TrunkSlotContent;
  readonly descriptor: FileDescriptor;
}

/** True where `base` names a packed file; only such names are looked for in trunk files. */
export function isTrunkBase(base: string): boolean {
  return base.length === trunkBaseLength && decodeBase(base)?.isTrunk === true;
}

/** Undefined where the slot is not there, or not the named file's. Throws `FileError` for other reasons. */
export function openSlot(files: Files, layout: FileLayout, place: FilePlace): OpenSlot | undefined {
  const decoded = decodeBase(place.base);
  const slot = decoded?.trunk;
  if (decoded === undefined || slot === undefined) return undefined;
  if ((decoded.size ?? 0) + trunkHeaderSize > slot.size) return undefined;
  const path = `${layout.directoryOf(place)}/${trunkFilename(slot.fileId)}`;
  const descriptor = openTrunkFile(files, path);
  if (descriptor === undefined) return undefined;
  let found: OpenSlot | undefined;
  try {
    const header = Buffer.alloc(trunkHeaderSize);
    files.read(descriptor, header, slot.offset);
    const content = matchTrunkHeader(header, place.base, decoded);
    if (content === undefined) return undefined;
    found = {
      descriptor,
      content,
      place: {
        path,
        offset: slot.offset,
        contentOffset: slot.offset + trunkHeaderSize,
        slotSize: slot.size,
        sizeBytes: decoded.size ?? 0,
        modifiedSeconds: decoded.timestamp,
        crc32: decoded.crc32,
      },
    };
    return found;
  } finally {
    if (found === undefined) files.close(descriptor);
  }
}

/** The name that a link's slot holds. */
export function readLinkSlot(files: Files, slot: OpenSlot): string {
  const text = Buffer.alloc(Math.min(slot.place.sizeBytes, 256));
  const got = files.read(slot.descriptor, text, slot.place.contentOffset);
  return text.toString("latin1", 0, got);
}

/** Overwrites the whole slot by zeros: its header is what makes it a file. Throws `FileError`. */
export function clearSlot(files: Files, slot: TrunkSlotPlace): void {
  const zeros = Buffer.alloc(Math.min(stepBytes, slot.slotSize));
  const descriptor = files.open(slot.path, "read-write");
  try {
    for (let done = 0; done < slot.slotSize; done += zeros.length) {
      const piece = zeros.subarray(0, Math.min(zeros.length, slot.slotSize - done));
      files.write(descriptor, piece, slot.offset + done);
    }
    files.flush(descriptor);
  } finally {
    files.close(descriptor);
  }
}

function openTrunkFile(files: Files, path: string): FileDescriptor | undefined {
  try {
    return files.open(path, "read");
  } catch (error) {
    if (error instanceof FileError && missing.includes(error.code)) return undefined;
    throw error;
  }
}

const missing: readonly string[] = ["ENOENT", "ENOTDIR", "ELOOP"];
