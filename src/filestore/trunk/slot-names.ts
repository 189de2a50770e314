/**
 * Which slots of some trunk files no record of the binlog names: such are space that is lost, since no reader can ask for them. The
 * slots are gathered while the files are walked, five bytes each; then the binlog is followed from its begin. Worker thread.
 */
import { binlogPath, listBinlogs } from "#filestore/binlog/binlog-files.ts";
import { BinlogReader, type BinlogReaderParts } from "#filestore/binlog/binlog-reader.ts";
import type { BinlogEntry } from "#filestore/binlog/entry.ts";
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import { type TrunkSlot, trunkHeaderSize } from "#model/trunk-location.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

/** One walked trunk file. */
export interface WalkedSlots {
  readonly fileId: number;
  readonly path: string;
  /** Where its slots begin, ascending. */
  readonly offsets: Uint32Array;
}

export interface SlotNamesParts {
  readonly files: Files;
  readonly binlog: BinlogReaderParts;
  readonly descriptors: { peek(path: string): FileDescriptor | undefined };
  /** The slot that a record is about; undefined for others. */
  readonly slotOf: (entry: BinlogEntry) => TrunkSlot | undefined;
}

interface Named extends WalkedSlots {
  readonly named: Uint8Array;
}

/**
 * The slots that nothing names, in steps of one piece of the binlog each; undefined where the binlog is not whole. What was deleted since
 * its file was walked does not count. Throws `FileError`.
 */
export function* unnamedSlots(
  parts: SlotNamesParts,
  walked: readonly WalkedSlots[],
): Generator<undefined, readonly TrunkSlotPlace[] | undefined> {
  const found = new Map<number, Named>();
  for (const each of walked) {
    found.set(each.fileId, { ...each, named: new Uint8Array(each.offsets.length) });
  }
  const { binlog } = parts;
  const numbers = listBinlogs(binlog.files, binlog.directory);
  if (numbers.some((number, at) => number !== at)) return undefined;
  const end = presentEnd(binlog, numbers.length - 1);
  const reader = new BinlogReader(binlog, { index: 0, offset: 0 });
  try {
    // What is written meanwhile is about other slots, and may come faster than it is read.
    while (comparePositions(reader.cursor, end) < 0) {
      const { records, invalid } = yield* reader.readSteps();
      if (records.length === 0 && invalid.length === 0) break;
      for (const { entry } of records) follow(found, entry, parts.slotOf(entry));
      yield undefined;
    }
  } finally {
    reader.close();
  }
  const unnamed: TrunkSlotPlace[] = [];
  for (const each of found.values()) yield* stillThere(parts, each, unnamed);
  return unnamed;
}

/** Where a slot that nothing names stands. */
export interface TrunkSlotPlace {
  readonly path: string;
  readonly offset: number;
}

/** Headers that are read at a time. */
const headersAtOnce = 256;

function presentEnd({ files, directory }: BinlogReaderParts, index: number): BinlogPosition {
  const path = binlogPath(directory, index);
  return { index, offset: files.stat(path, true)?.sizeBytes ?? Number.MAX_SAFE_INTEGER };
}

function follow(
  found: ReadonlyMap<number, Named>,
  entry: BinlogEntry,
  slot: TrunkSlot | undefined,
): void {
  const file = slot === undefined ? undefined : found.get(slot.fileId);
  if (slot === undefined || file === undefined) return;
  const at = indexOf(file.offsets, slot.offset);
  if (at !== undefined) file.named[at] = entry.kind === "delete" ? 0 : 1;
}

function indexOf(offsets: Uint32Array, offset: number): number | undefined {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((offsets[middle] as number) < offset) low = middle + 1;
    else high = middle;
  }
  return offsets[low] === offset ? low : undefined;
}

function* stillThere(
  parts: SlotNamesParts,
  file: Named,
  places: TrunkSlotPlace[],
): Generator<undefined, void> {
  const header = Buffer.alloc(trunkHeaderSize);
  let looked = 0;
  for (const [at, offset] of file.offsets.entries()) {
    if (file.named[at] === 1) continue;
    const descriptor = parts.descriptors.peek(file.path);
    if (descriptor === undefined) return;
    const got = parts.files.read(descriptor, header, offset);
    if (got === header.length && header[0] !== 0) places.push({ path: file.path, offset });
    looked += 1;
    if (looked % headersAtOnce === 0) yield undefined;
  }
}
