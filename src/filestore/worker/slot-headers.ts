/**
 * The packed files of one trunk file, by the headers of their slots: jumps from slot to slot and passes over zeros, so that content is
 * not read. What is no header is passed over byte by byte. In bounded steps. Worker thread.
 */
import { type SlotEntry, slotKey } from "#filestore/inventory/inventory-entry.ts";
import { zeroRun } from "#filestore/trunk/slot-walk.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

/** Read where a header is expected: small neighbours come along. */
const probeBytes = 2048;
/** Read where there was none. */
const scanBytes = 256 * 1024;
const tailAt = 17;
const fileType = 0x46;
const linkType = 0x4c;

export interface TrunkFileToList {
  readonly files: Files;
  readonly descriptor: FileDescriptor;
  readonly fileId: number;
  readonly sizeBytes: number;
}

/** What begins at or behind `from`, in order; undefined at times, as a step without one. Throws `FileError`. */
export function* slotHeaders(
  trunk: TrunkFileToList,
  from: number,
): Generator<SlotEntry | undefined, void> {
  const probe = Buffer.allocUnsafe(probeBytes);
  const scan = Buffer.allocUnsafe(scanBytes);
  let window = probe.subarray(0, 0);
  let windowStart = 0;
  let at = from;
  let seeking = false;
  while (at + trunkHeaderSize <= trunk.sizeBytes) {
    if (at < windowStart || at + trunkHeaderSize > windowStart + window.length) {
      const target = seeking ? scan : probe;
      const got = trunk.files.read(trunk.descriptor, target, at);
      window = target.subarray(0, got);
      windowStart = at;
      if (got < trunkHeaderSize) return;
      if (seeking) yield undefined;
    }
    const inside = at - windowStart;
    const entry = entryAt(window, inside, { ...trunk, offset: at });
    if (entry !== undefined) {
      seeking = false;
      yield entry;
      at += entry.slotSize;
      continue;
    }
    seeking = true;
    at += Math.max(1, window[inside] === 0 ? zeroRun(window, inside) : 1);
  }
}

/** The header that stands in `window` at `at`, which is `offset` in the trunk file; undefined where none does. At least 24 bytes are there. */
export function entryAt(
  window: Buffer,
  at: number,
  where: { readonly fileId: number; readonly offset: number; readonly sizeBytes: number },
): SlotEntry | undefined {
  const type = window[at];
  if (type !== fileType && type !== linkType) return undefined;
  const slotSize = window.readUInt32BE(at + 1);
  const sizeBytes = window.readUInt32BE(at + 5);
  if (slotSize > where.sizeBytes - where.offset) return undefined;
  if (sizeBytes + trunkHeaderSize > slotSize) return undefined;
  const tail = window.toString("latin1", at + tailAt, at + trunkHeaderSize);
  if (!/^[0-9A-Za-z_.-]{7}$/.test(tail)) return undefined;
  const { fileId, offset } = where;
  return {
    kind: "slot",
    key: slotKey(fileId, offset),
    fileId,
    offset,
    slotSize,
    sizeBytes,
    crc32: window.readUInt32BE(at + 9),
    timestamp: window.readUInt32BE(at + 13),
    content: type === fileType ? "file" : "link",
    tail,
  };
}
