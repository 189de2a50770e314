/**
 * At the end of a scrub: the headers of packed files against the names that the binlog has for their slots. Time and extension stand in the
 * header alone, so that nothing else tells when they rot, and then the file is not found under its name. One pass over the binlog, and
 * another one for trunk files where something differs, which are read once more. In steps; bounded: what does not fit is left for the next
 * scrub. Worker thread.
 */
import { BinlogReader, type BinlogReaderParts } from "#filestore/binlog/binlog-reader.ts";
import type { BinlogEntry } from "#filestore/binlog/entry.ts";
import { binlogStart } from "#filestore/binlog/position.ts";
import {
  encodeTrunkHeader,
  matchTrunkHeader,
  writeTrunkHeader,
} from "#filestore/formats/trunk-header.ts";
import { isDiskError } from "#filestore/scrub/read-content.ts";
import type { TrunkWorld } from "#filestore/scrub/scrub-trunk.ts";
import { type SlotSums, slotHash } from "#filestore/scrub/slot-sums.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { slotOfEntry, type TrunkSlotPlace } from "#filestore/worker/trunk-slot.ts";
import { tailOf } from "#model/file-base.ts";
import { decodeBase, trunkBaseLength } from "#model/file-id.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { type DiskFile, maxDiskRead } from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";

/** Names that are kept in mind at a time, some hundred bytes each, and how often. */
const maxNames = 50_000;
const maxRounds = 4;
/** `Mxx/HH/HH/` */
const directoriesLength = 10;
/** Slot size, size and CRC-32, which the name has as well: where they are others, the slot is another file's, or the scrub has found it. */
const sizesEnd = 13;

export interface HeaderComparison {
  readonly world: TrunkWorld;
  readonly layout: FileLayout;
  readonly binlog: BinlogReaderParts;
  readonly sums: SlotSums;
}

interface Followed {
  readonly slot: TrunkSlotPlace;
  readonly isThere: boolean;
}

/** Tells `world.found` of each header that is not what its name says. Throws `FileError`. */
export function* compareHeaders(comparison: HeaderComparison): Generator<undefined, void> {
  const { sums } = comparison;
  yield* sumNames(comparison);
  const differing = [...sums.differing()];
  for (let round = 0; round < maxRounds && differing.length > 0; round += 1) {
    let count = 0;
    const chosen = new Set<number>();
    for (let next = differing[0]; next !== undefined; next = differing[0]) {
      count += next.count;
      if (count > maxNames && chosen.size > 0) break;
      chosen.add(next.fileId);
      differing.shift();
    }
    yield* compareTrunks(comparison, chosen);
  }
}

/** All records of packed files, with as little work as can be: a million of them are nothing rare. */
function* sumNames({ binlog, sums }: HeaderComparison): Generator<undefined, void> {
  const header = Buffer.alloc(trunkHeaderSize);
  const reader = new BinlogReader(binlog, binlogStart);
  try {
    for (;;) {
      const { records: read, invalid } = yield* reader.readSteps();
      if (read.length === 0 && invalid.length === 0) return;
      for (const { entry } of read) sum(sums, entry, header);
      yield undefined;
    }
  } finally {
    reader.close();
  }
}

/** Names of other store paths make a difference at most, which is looked into then. */
function sum(sums: SlotSums, { kind, name, timestamp }: BinlogEntry, header: Buffer): void {
  if (name.length !== directoriesLength + trunkBaseLength) return;
  if (kind !== "create" && kind !== "delete" && kind !== "link") return;
  const base = name.slice(directoriesLength);
  const decoded = decodeBase(base);
  const slot = decoded?.trunk;
  if (slot === undefined || decoded?.size === undefined) return;
  if (!sums.counts(slot.fileId, timestamp)) return;
  const { size, crc32 } = decoded;
  const fields = { slotSize: slot.size, size, crc32, timestamp: decoded.timestamp };
  writeTrunkHeader(header, 0, { ...fields, tail: tailOf(base) });
  sums.follow(slot.fileId, slotHash(header, 0, slot.offset), kind !== "delete");
}

/** What the binlog says of slots, in its order; undefined as a step. */
function* records({ layout, binlog }: HeaderComparison): Generator<Followed | undefined, void> {
  const reader = new BinlogReader(binlog, binlogStart);
  try {
    for (;;) {
      const { records: read, invalid } = yield* reader.readSteps();
      if (read.length === 0 && invalid.length === 0) return;
      for (const { entry } of read) {
        if (entry.name.length !== directoriesLength + trunkBaseLength) continue;
        const slot = slotOfEntry(layout, entry);
        if (slot !== undefined) yield { slot, isThere: entry.kind !== "delete" };
      }
      yield undefined;
    }
  } finally {
    reader.close();
  }
}

function* compareTrunks(
  comparison: HeaderComparison,
  chosen: ReadonlySet<number>,
): Generator<undefined, void> {
  /** By trunk file and offset, the last name. */
  const named = new Map<string, TrunkSlotPlace>();
  for (const followed of records(comparison)) {
    if (followed === undefined) {
      yield undefined;
      continue;
    }
    const { slot, isThere } = followed;
    if (!chosen.has(slot.fileId)) continue;
    const key = `${slot.path}@${slot.offset}`;
    if (isThere && (named.has(key) || named.size < maxNames)) named.set(key, slot);
    else if (named.get(key)?.base === slot.base) named.delete(key);
  }
  const paths = new Set([...named.values()].map(({ path }) => path));
  for (const path of paths) {
    const slots = [...named.values()].filter((slot) => slot.path === path);
    slots.sort((one, other) => one.offset - other.offset);
    yield* compareTrunk(comparison.world, path, slots);
  }
}

function* compareTrunk(
  world: TrunkWorld,
  path: string,
  slots: readonly TrunkSlotPlace[],
): Generator<undefined, void> {
  let file: DiskFile;
  try {
    file = world.disk.open(path);
  } catch (error) {
    if (error instanceof FileError && error.code === "ENOENT") return;
    throw error;
  }
  try {
    let window: Buffer = Buffer.alloc(0);
    let start = 0;
    for (const slot of slots) {
      if (slot.offset < start || slot.offset + trunkHeaderSize > start + window.length) {
        window = readOr(world, file, slot.offset);
        start = slot.offset;
        yield undefined;
      }
      const inside = slot.offset - start;
      const header = window.subarray(inside, inside + trunkHeaderSize);
      if (isOtherName(header, slot)) tell(world, slot);
    }
  } finally {
    file.close();
  }
}

/** Empty where the disk does not give it, which the scrub has told. */
function readOr(world: TrunkWorld, file: DiskFile, at: number): Buffer {
  const { pace, tally } = world;
  pace?.began();
  let piece: Buffer = Buffer.alloc(0);
  try {
    piece = file.read(Math.min(pace?.pieceBytes ?? maxDiskRead, maxDiskRead), at);
  } catch (error) {
    if (!isDiskError(error)) throw error;
  }
  pace?.ended(piece.length);
  tally.bytes += piece.length;
  return piece;
}

function isOtherName(header: Buffer, { base, decoded }: TrunkSlotPlace): boolean {
  if (header.length < trunkHeaderSize) return false;
  const expected = encodeTrunkHeader(base, decoded, "file");
  if (header.compare(expected, 0, sizesEnd, 0, sizesEnd) !== 0) return false;
  return matchTrunkHeader(header, base, decoded) === undefined;
}

function tell({ found, tally, isSlotBusy }: TrunkWorld, slot: TrunkSlotPlace): void {
  const { path, fileId, offset, size, decoded } = slot;
  if (isSlotBusy(path, offset)) return;
  tally.good -= 1;
  tally.damaged += 1;
  const region = { fileId, offset, size, before: undefined };
  // `HH/HH/` and the trunk file's own name.
  const place = `${path.split("/").slice(-3).join("/")}@${offset}`;
  found({ place, damage: "slot-header", sizeBytes: size, crc32: decoded.crc32, region });
}
