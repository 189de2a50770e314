/**
 * What stands in the slot that a peer's packed file is to have, from its begin to its end, in bounded steps: nothing, parts of that very
 * file (a write that did not come to its end), other files, each whole behind its header, or a rest: of a file that was cleared in part,
 * or the inside of one that begins in front of the slot. Worker thread.
 */
import { crc32 } from "node:zlib";
import { maxTrunkFileBytes } from "#filestore/packing.ts";
import { plausibleHeader, zeroRun } from "#filestore/trunk/slot-walk.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";

/** Most slots are looked at in one step. */
const stepBytes = 64 * 1024;
const fileType = 0x46;
const linkType = 0x4c;

/** Up to `length` bytes of the trunk file from `offset` on, which stay as they are until the next call. Throws `FileError`. */
export type SlotReader = (offset: number, length: number) => Buffer;

/** A file, or a link, in a slot of its own. */
export interface OtherFile {
  /** In the trunk file. */
  readonly offset: number;
  readonly slotSize: number;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly header: Buffer;
}

export interface SlotOfOwn {
  readonly offset: number;
  readonly size: number;
  /** Bytes of the slot as they are to be; fewer where it ends before, or they are not known. */
  readonly own: (at: number, length: number) => Uint8Array;
}

export interface SlotLook {
  /** Other ones, in order. */
  readonly files: readonly OtherFile[];
  /** Something is there besides that nobody can name. */
  readonly hasRest: boolean;
}

const nothingElse: SlotLook = { files: [], hasRest: false };

export function lookIntoSlot(read: SlotReader, slot: SlotOfOwn): SlotLook {
  return hasOnlyOwn(read, slot) ? nothingElse : whatElse(read, slot);
}

function hasOnlyOwn(read: SlotReader, { offset, size, own }: SlotOfOwn): boolean {
  for (let at = 0; at < size; ) {
    const piece = read(offset + at, Math.min(stepBytes, size - at));
    if (piece.length === 0) break;
    const isZero = zeroRun(piece, 0) === piece.length;
    if (!isZero && !isPartOf(piece, own(at, piece.length))) return false;
    at += piece.length;
  }
  return true;
}

function isPartOf(there: Uint8Array, whole: Uint8Array): boolean {
  for (let at = 0; at < there.length; at += 1) {
    if (there[at] !== 0 && there[at] !== whole[at]) return false;
  }
  return true;
}

function whatElse(read: SlotReader, { offset, size }: SlotOfOwn): SlotLook {
  const files: OtherFile[] = [];
  let hasRest = false;
  for (let at = 0; at < size; ) {
    const piece = read(offset + at, Math.min(stepBytes, size - at));
    if (piece.length === 0) break;
    const zeros = zeroRun(piece, 0);
    const begin = possibleBegin(piece, zeros);
    at += begin;
    if (begin > zeros) hasRest = true;
    if (begin === piece.length) continue;
    const file = fileAt(read, offset + at);
    if (file === undefined) hasRest = true;
    else files.push(file);
    at += file?.slotSize ?? 1;
  }
  return { files, hasRest };
}

/** Where a header may begin, at or behind `from`; at the end of the piece it may as well be cut off. */
function possibleBegin(piece: Buffer, from: number): number {
  for (let at = from; at < piece.length; at += 1) {
    if (piece[at] !== fileType && piece[at] !== linkType) continue;
    if (piece.length - at < trunkHeaderSize) return at;
    if (plausibleHeader(piece.subarray(at), maxTrunkFileBytes) !== undefined) return at;
  }
  return piece.length;
}

function fileAt(read: SlotReader, offset: number): OtherFile | undefined {
  const header = Buffer.from(read(offset, trunkHeaderSize));
  const told = plausibleHeader(header, maxTrunkFileBytes);
  if (told === undefined) return undefined;
  const { slotSize, sizeBytes, crc } = told;
  const isFile = header[0] === fileType;
  if (isFile && contentCrc(read, offset + trunkHeaderSize, sizeBytes) !== crc) return undefined;
  return { offset, slotSize, timestamp: header.readUInt32BE(13), header };
}

function contentCrc(read: SlotReader, offset: number, size: number): number | undefined {
  let crc = 0;
  for (let at = 0; at < size; ) {
    const piece = read(offset + at, Math.min(stepBytes, size - at));
    if (piece.length === 0) return undefined;
    crc = crc32(piece, crc);
    at += piece.length;
  }
  return crc;
}
