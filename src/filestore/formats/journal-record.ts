/**
 * One record of a store path's journal (`worker/journal/commit-journal.ts`): what one commit appended to the binlog, and the slots of trunk
 * files that it wrote. A record begins at a multiple of `journalBlockBytes`, so that writing one never touches another one's blocks.
 * Its CRC-32 covers everything but the slots' bytes, which have one each in their own headers. Numbers are little-endian. Pure.
 */
import { crc32 } from "node:zlib";
import type { BinlogPosition } from "#filestore/binlog/position.ts";

export const journalBlockBytes = 4096;
/** Of the part that says how long the rest is. */
export const journalHeaderBytes = 40;
/** More is no record of ours: the binlog lines of the largest batch, and the table of its slots. */
export const maxJournalTableBytes = 1024 * 1024;

const magic = 0x314a_5243;
const crcAt = 4;
const coveredAt = 8;
const tableBytesAt = 8;
const slotBytesAt = 12;
const epochAt = 16;
const sequenceAt = 20;
const indexAt = 26;
const offsetAt = 30;
const linesBytesAt = 36;

const slotFixedBytes = 12;
const slotOffsetAt = 2;
const slotLengthAt = 8;
/** An offset or a sequence number: 48 bits. */
const wideBytes = 6;

/** A stretch of a trunk file. */
export interface JournalSlot {
  /** Of the trunk file, below the store path's `data`. */
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

export interface JournalEntry {
  /** Of one life of the journal: 32 bits, by chance. */
  readonly epoch: number;
  /** One more with each record of the epoch. */
  readonly sequence: number;
  /** Where `lines` stand in the binlog. */
  readonly position: BinlogPosition;
  /** Whole lines, latin1. */
  readonly lines: string;
  readonly slots: readonly JournalSlot[];
}

/** Bytes of header and table. The slots' bytes follow them, in their order. */
export function journalTableBytes(entry: Pick<JournalEntry, "lines" | "slots">): number {
  let bytes = journalHeaderBytes + entry.lines.length;
  for (const { path } of entry.slots) bytes += slotFixedBytes + path.length;
  return bytes;
}

/** What a record takes in the journal. */
export function journalRecordBytes(tableBytes: number, slotBytes: number): number {
  return Math.ceil((tableBytes + slotBytes) / journalBlockBytes) * journalBlockBytes;
}

/** Writes header and table to the begin of `target`, which has room for them; returns their bytes. */
export function writeJournalTable(target: Buffer, entry: JournalEntry): number {
  let at = journalHeaderBytes + target.write(entry.lines, journalHeaderBytes, "latin1");
  let slotBytes = 0;
  for (const { path, offset, length } of entry.slots) {
    target.writeUInt16LE(path.length, at);
    target.writeUIntLE(offset, at + slotOffsetAt, wideBytes);
    target.writeUInt32LE(length, at + slotLengthAt);
    at += slotFixedBytes + target.write(path, at + slotFixedBytes, "latin1");
    slotBytes += length;
  }
  target.writeUInt32LE(magic, 0);
  target.writeUInt32LE(at, tableBytesAt);
  target.writeUInt32LE(slotBytes, slotBytesAt);
  target.writeUInt32LE(entry.epoch, epochAt);
  target.writeUIntLE(entry.sequence, sequenceAt, wideBytes);
  target.writeUInt32LE(entry.position.index, indexAt);
  target.writeUIntLE(entry.position.offset, offsetAt, wideBytes);
  target.writeUInt32LE(entry.lines.length, linesBytesAt);
  target.writeUInt32LE(crc32(target.subarray(coveredAt, at)), crcAt);
  return at;
}

/** From the first `journalHeaderBytes` of a record: how long its table is, with the header; undefined where it is none. */
export function readJournalTableBytes(header: Buffer): number | undefined {
  if (header.length < journalHeaderBytes || header.readUInt32LE(0) !== magic) return undefined;
  const bytes = header.readUInt32LE(tableBytesAt);
  return bytes >= journalHeaderBytes && bytes <= maxJournalTableBytes ? bytes : undefined;
}

/** Header and table, whole; undefined where that is not what was written. */
export function readJournalEntry(table: Buffer): JournalEntry | undefined {
  if (readJournalTableBytes(table) !== table.length) return undefined;
  if (crc32(table.subarray(coveredAt)) !== table.readUInt32LE(crcAt)) return undefined;
  const linesEnd = journalHeaderBytes + table.readUInt32LE(linesBytesAt);
  if (linesEnd > table.length) return undefined;
  const slots = readSlots(table, linesEnd);
  if (slots === undefined) return undefined;
  return {
    epoch: table.readUInt32LE(epochAt),
    sequence: table.readUIntLE(sequenceAt, wideBytes),
    position: {
      index: table.readUInt32LE(indexAt),
      offset: table.readUIntLE(offsetAt, wideBytes),
    },
    lines: table.toString("latin1", journalHeaderBytes, linesEnd),
    slots,
  };
}

function readSlots(table: Buffer, from: number): readonly JournalSlot[] | undefined {
  const slots: JournalSlot[] = [];
  let slotBytes = 0;
  let at = from;
  while (at < table.length) {
    if (at + slotFixedBytes > table.length) return undefined;
    const pathAt = at + slotFixedBytes;
    const end = pathAt + table.readUInt16LE(at);
    if (end > table.length) return undefined;
    const length = table.readUInt32LE(at + slotLengthAt);
    slots.push({
      path: table.toString("latin1", pathAt, end),
      offset: table.readUIntLE(at + slotOffsetAt, wideBytes),
      length,
    });
    slotBytes += length;
    at = end;
  }
  return slotBytes === table.readUInt32LE(slotBytesAt) ? slots : undefined;
}
