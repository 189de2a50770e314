/**
 * Reads new files for a batch that goes to a peer, in steps between other requests: each straight to its place behind its head, with its
 * CRC-32 compared to the one in its name, so that a rotten file is not passed on. What is not there, not as its name says or in doubt, and
 * what finds no room, is left to the main thread, which asks for it by itself and is told why. Worker thread.
 */
import { crc32 } from "node:zlib";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import { failureOf } from "#filestore/worker/failure.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { crcInName, isTrunkBase, sizeInName } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import { WireWriter } from "#protocol/codec.ts";
import {
  encodeSyncHead,
  maxSyncContentBytes,
  syncBatchContentBytes,
  syncRecordHeadBytes,
} from "#protocol/peer/sync-record.ts";

/** Of a step; a file may be read beyond the second one. */
const stepFiles = 16;
const stepBytes = 256 * 1024;

export type BatchEngine = Pick<StorePathEngine, "readWhole" | "openRead" | "proof">;

export interface BatchRead {
  /** A digit for each line, 1 where its record is in the block. */
  readonly isIn: string;
  /** Of the records, in bytes. */
  readonly length: number;
}

/** `block` begins with `linesLength` bytes of lines of the binlog, and has the records in the end. */
export function* batchSteps(
  engine: BatchEngine,
  block: Uint8Array,
  linesLength: number,
): Generator<undefined, BatchRead> {
  const view = Buffer.from(block.buffer, block.byteOffset, block.length);
  const lines = view.toString("latin1", 0, linesLength).split("\n").slice(0, -1);
  let isIn = "";
  let length = 0;
  let files = 0;
  let bytes = 0;
  for (const line of lines) {
    const added = length < syncBatchContentBytes ? put(engine, view.subarray(length), line) : 0;
    isIn += added > 0 ? "1" : "0";
    length += added;
    bytes += added;
    files += 1;
    if (files < stepFiles && bytes < stepBytes) continue;
    yield;
    files = 0;
    bytes = 0;
  }
  return { isIn, length };
}

/** Bytes of the record that was put to the begin of `target`; 0 where there is none. */
function put(engine: BatchEngine, target: Buffer, line: string): number {
  const entry = decodeEntry(line);
  if (entry?.kind !== "create") return 0;
  const { name, timestamp } = entry;
  const base = parseRemoteFilename(name)?.base;
  const size = base === undefined ? undefined : sizeInName(base);
  const named = base === undefined ? undefined : crcInName(base);
  if (base === undefined || size === undefined || named === undefined) return 0;
  const start = syncRecordHeadBytes + name.length;
  // A read has to show that the file ends there.
  if (size > maxSyncContentBytes || start + size + 1 > target.length) return 0;
  if (!read(engine, { name, isPacked: isTrunkBase(base), size }, target.subarray(start))) return 0;
  const content = target.subarray(start, start + size);
  if (crc32(content) !== named) return 0;
  const writer = new WireWriter(start);
  const fields = { kind: "create", timestamp, name, other: "", first: 0, second: 0 } as const;
  encodeSyncHead({ ...fields, crc32: named }, size, writer);
  target.set(writer.bytes());
  return start + size;
}

interface Wanted {
  readonly name: string;
  readonly isPacked: boolean;
  readonly size: number;
}

/** False where it cannot be read, is of another size, or has to be proved first. */
function read(engine: BatchEngine, { name, isPacked, size }: Wanted, target: Uint8Array): boolean {
  try {
    if (engine.proof(name) !== undefined) return false;
    if (!isPacked) return engine.readWhole(name, size, target);
    const handle = engine.openRead(name);
    try {
      return handle.sizeBytes === size && handle.read(target.subarray(0, size), 0) === size;
    } finally {
      handle.close();
    }
  } catch (error) {
    // Throws our own mistakes on.
    failureOf(error);
    return false;
  }
}
