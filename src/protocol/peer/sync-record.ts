/**
 * What follows the heads of `syncBatch` and `fetchFile`: one change with its content, and what is known of a fetched file. All numbers are
 * bounded before anything is taken. A record carries a CRC-32 of itself beside that of its content. Pure.
 */
import { crc32 } from "node:zlib";
import { type Codec, narrowAddresses, WireReader, type WireWriter } from "#protocol/codec.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

/** Records of a batch. */
export const maxSyncRecords = 256;
/** Contents above this travel by themselves, or in pieces. */
export const maxSyncContentBytes = 256 * 1024;
/** Contents of a batch together; it may be passed by one record. */
export const syncBatchContentBytes = 1024 * 1024;
const maxNameBytes = 255;
/** Of a record without names and content. */
export const syncRecordHeadBytes = 36;
/** Behind it the CRC-32 of the head takes four bytes more. */
const nameAt = syncRecordHeadBytes - 4;
export const maxSyncBatchBytes =
  syncBatchContentBytes +
  maxSyncContentBytes +
  maxSyncRecords * (syncRecordHeadBytes + 2 * maxNameBytes);

const kinds = [
  ...(["create", "replace", "delete", "append"] as const),
  ...(["modify", "truncate", "link", "rename"] as const),
  // No change: asks whether a file whose name is given once is here as a whole; `already` or `missing`.
  "find",
] as const;
export type SyncKind = (typeof kinds)[number];

export interface SyncRecord {
  readonly kind: SyncKind;
  /** Unix seconds, of the change at its source. */
  readonly timestamp: number;
  readonly name: string;
  /** What a link means, or what a file was called before; else empty. */
  readonly other: string;
  /** Offset of an append or modification; the size before a truncation. */
  readonly first: number;
  /** The size after a truncation; above 0 for a piece of a modification that follows another one. */
  readonly second: number;
  /** Of `content`. */
  readonly crc32: number;
  /** The whole file, or the bytes of the range; empty for others. When decoded, a view of what was received. */
  readonly content: Uint8Array;
}

/** Statuses of records beside errno values: 0 done, 17 nothing needed to be done, 2 there is no such file. */
export const syncStatus = {
  done: 0,
  missing: 2,
  already: 17,
  /** The content does not have its CRC-32. */
  damaged: 74,
  /** What is there does not fit the change: the whole file is wanted. */
  differs: 116,
  /** The version that is there is a later one, which the sender should fetch. */
  later: 114,
} as const;

/**
 * Of the numbers in a head that no content vouches for: a position that was damaged on its way would call files deleted that are to come.
 */
export function headCheck(...fields: readonly (string | number | boolean)[]): number {
  return crc32(fields.join(" "));
}

/** Of what stands before the content of a fetched file. */
export const fetchedHeadBytes = 9;

export interface FetchedHead {
  /** Unix seconds. */
  readonly modifiedSeconds: number;
  /** Of the content; undefined where the name's holds. */
  readonly crc32: number | undefined;
}

export const syncRecord: Codec<SyncRecord> = {
  encode(record, writer) {
    encodeSyncHead(record, record.content.length, writer);
    writer.raw(record.content);
  },
  decode(reader) {
    const whole = reader.remaining < syncRecordHeadBytes ? undefined : reader.peekBytes();
    const kind = kinds[reader.u8() - 1];
    if (kind === undefined) throw new ProtocolError("invalid", "no such kind of record");
    const nameBytes = reader.u8();
    const otherBytes = reader.u8();
    reader.u8();
    const timestamp = reader.i32() >>> 0;
    const first = notNegative(reader);
    const second = notNegative(reader);
    const sum = reader.i32() >>> 0;
    const length = reader.i32() >>> 0;
    if (nameBytes === 0) throw new ProtocolError("invalid", "a record without a name");
    if (length > maxSyncContentBytes) {
      throw new ProtocolError("invalid", `${length} bytes are too many for a batch`);
    }
    const name = reader.text(nameBytes);
    const other = reader.text(otherBytes);
    const headBytes = nameAt + nameBytes + otherBytes;
    if (reader.i32() >>> 0 !== crc32(whole?.subarray(0, headBytes) ?? "")) {
      throw new ProtocolError("invalid", "a record was damaged on its way");
    }
    const content = reader.rawView(length);
    return { kind, timestamp, name, other, first, second, crc32: sum, content };
  },
};

/** What stands before `contentBytes` of content. */
export function encodeSyncHead(
  record: Omit<SyncRecord, "content">,
  contentBytes: number,
  writer: WireWriter,
): void {
  const nameBytes = nameLength(record.name);
  const otherBytes = nameLength(record.other);
  if (contentBytes > maxSyncContentBytes) {
    throw new ProtocolError("invalid", `${contentBytes} bytes are too many for a batch`);
  }
  const start = writer.length;
  writer.u8(kinds.indexOf(record.kind) + 1);
  writer.u8(nameBytes);
  writer.u8(otherBytes);
  writer.u8(0);
  writer.i32(record.timestamp);
  writer.i64(record.first);
  writer.i64(record.second);
  writer.i32(record.crc32);
  writer.i32(contentBytes);
  writer.text(record.name);
  writer.text(record.other);
  writer.i32(crc32(writer.bytes().subarray(start)));
}

/** The records of a batch, of which there are `count` and nothing else. Contents are views of `payload`. Throws `ProtocolError`. */
export function syncRecords(payload: Uint8Array, count: number): readonly SyncRecord[] {
  const reader = new WireReader(payload);
  const records: SyncRecord[] = [];
  while (records.length < count) records.push(syncRecord.decode(reader, narrowAddresses));
  reader.expectEnd();
  return records;
}

/** The name in the first record of a batch, unchecked; undefined where its begin is too short for that. */
export function firstName(begin: Uint8Array): string | undefined {
  const nameBytes = begin[1];
  if (nameBytes === undefined || begin.length < nameAt + nameBytes) return undefined;
  return Buffer.from(begin.subarray(nameAt, nameAt + nameBytes)).toString("latin1");
}

export const fetchedHead: Codec<FetchedHead> = {
  encode(head, writer: WireWriter) {
    writer.i32(head.modifiedSeconds);
    writer.u8(head.crc32 === undefined ? 0 : 1);
    writer.i32(head.crc32 ?? 0);
  },
  decode(reader) {
    const modifiedSeconds = reader.i32() >>> 0;
    const known = reader.u8() !== 0;
    const crc32 = reader.i32() >>> 0;
    return { modifiedSeconds, crc32: known ? crc32 : undefined };
  },
};

function nameLength(name: string): number {
  const length = Buffer.byteLength(name);
  if (length > maxNameBytes) throw new ProtocolError("invalid", `a name of ${length} bytes`);
  return length;
}

function notNegative(reader: WireReader): number {
  const value = reader.i64();
  if (value < 0) throw new ProtocolError("invalid", `negative number ${value}`);
  return value;
}
