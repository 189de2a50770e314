/**
 * Reads a trunk file from its begin to its end, once, and checks each packed file against its header. What is neither zeros nor a packed file
 * is told as well: behind it may be a header that rotted. What the disk does not give is read around. In bounded steps. Thread of its path.
 */
import { crc32 } from "node:zlib";
import { writeTrunkHeader } from "#filestore/formats/trunk-header.ts";
import type { SlotEntry } from "#filestore/inventory/inventory-entry.ts";
import type { Finding } from "#filestore/scrub/findings.ts";
import { badBlockBytes, minPieceBytes, youngSlotSeconds } from "#filestore/scrub/limits.ts";
import { isDiskError, type ReadWorld, readAhead } from "#filestore/scrub/read-content.ts";
import { type SlotSums, slotHash } from "#filestore/scrub/slot-sums.ts";
import { zeroRun } from "#filestore/trunk/slot-walk.ts";
import { entryAt } from "#filestore/worker/slot-headers.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { type DiskFile, maxDiskRead } from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";

/** Fewer zeros do not end what is no packed file. */
const gapBytes = 64;
const fileType = 0x46;
const linkType = 0x4c;
/** Headers that lie behind the content of one slot: what is made to look like them must not take hours. */
const maxTries = 16;

export interface TrunkWorld extends ReadWorld {
  /** Unix seconds. */
  readonly nowSeconds: () => number;
  /** Somebody writes there. */
  readonly isSlotBusy: (path: string, offset: number) => boolean;
  readonly found: (finding: Finding) => void;
  /** A packed file, or a link, whose content is what its header says. */
  readonly onSlot?: (entry: SlotEntry) => void;
  /** Of the headers of packed files that are well, to be compared with names. */
  readonly sums?: SlotSums;
}

export interface ScrubbedTrunkFile {
  readonly path: string;
  /** `HH/HH/base`. */
  readonly place: string;
  readonly fileId: number;
}

/** Throws `FileError` for what is not the file's fault. */
export function* scrubTrunkFile(
  world: TrunkWorld,
  trunk: ScrubbedTrunkFile,
): Generator<undefined, void> {
  let file: DiskFile;
  try {
    file = world.disk.open(trunk.path);
  } catch (error) {
    if (error instanceof FileError && error.code === "ENOENT") return;
    throw error;
  }
  try {
    const sizeBytes = file.size();
    if (sizeBytes === undefined) world.tally.foreign += 1;
    else yield* new TrunkScrub(world, trunk, { file, sizeBytes }).run();
  } finally {
    file.close();
  }
}

/** What is mostly behind a content: less than this. */
const zeros = Buffer.alloc(64 * 1024);

function isNothing(window: Buffer, from: number, to: number): boolean {
  const length = to - from;
  if (length === 0) return true;
  if (length > zeros.length) return zeroRun(window.subarray(from, to), 0) === length;
  return window.compare(zeros, 0, length, from, to) === 0;
}

class TrunkScrub {
  readonly #world: TrunkWorld;
  readonly #trunk: ScrubbedTrunkFile;
  readonly #file: DiskFile;
  readonly #sizeBytes: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;
  /** The disk failed before here: small pieces until then. */
  #carefulUntil = 0;
  /** Where something begins that is no packed file. */
  #strange: { readonly offset: number; readonly before: number | undefined } | undefined;
  /** The slot that ends where we are. */
  #before: number | undefined;

  constructor(
    world: TrunkWorld,
    trunk: ScrubbedTrunkFile,
    opened: { readonly file: DiskFile; readonly sizeBytes: number },
  ) {
    this.#world = world;
    this.#trunk = trunk;
    this.#file = opened.file;
    this.#sizeBytes = opened.sizeBytes;
  }

  *run(): Generator<undefined, void> {
    this.#world.sums?.begin(this.#trunk.fileId, this.#world.nowSeconds());
    let at = 0;
    while (at + trunkHeaderSize <= this.#sizeBytes) {
      if (!(yield* this.#has(at, trunkHeaderSize))) {
        if (this.#isShort(at)) break;
        at = this.#beginStrange(at, badBlockBytes - (at % badBlockBytes));
        continue;
      }
      const next = this.#wellInWindow(at);
      if (next !== undefined) {
        this.#endStrange(at);
        this.#before = at;
        at = next;
        continue;
      }
      const { fileId } = this.#trunk;
      const inside = at - this.#windowStart;
      const where = { fileId, offset: at, sizeBytes: this.#sizeBytes };
      const entry = entryAt(this.#window, inside, where);
      if (entry !== undefined) {
        this.#endStrange(at);
        at = yield* this.#slot(entry);
      } else if (this.#window[inside] === 0) {
        const zeros = zeroRun(this.#window, inside);
        if (zeros >= gapBytes) this.#endStrange(at);
        this.#before = undefined;
        at += zeros;
      } else {
        at = this.#beginStrange(at, 1);
      }
    }
    this.#endStrange(this.#sizeBytes);
  }

  /**
   * Most slots are read as a whole, and well: then where the next one begins. Undefined for all that is to be looked at with more care, also
   * where somebody wants to know of each slot.
   */
  #wellInWindow(at: number): number | undefined {
    const window = this.#window;
    const inside = at - this.#windowStart;
    if (window[inside] !== fileType || this.#world.onSlot !== undefined) return undefined;
    const slotSize = window.readUInt32BE(inside + 1);
    const sizeBytes = window.readUInt32BE(inside + 5);
    const end = inside + slotSize;
    const start = inside + trunkHeaderSize;
    if (sizeBytes === 0 || start + sizeBytes > end || end > window.length) return undefined;
    const content = window.subarray(start, start + sizeBytes);
    if (crc32(content) !== window.readUInt32BE(inside + 9)) return undefined;
    if (!isNothing(window, start + sizeBytes, end)) return undefined;
    this.#world.tally.files += 1;
    this.#world.tally.good += 1;
    this.#world.sums?.add(this.#trunk.fileId, slotHash(window, inside, at));
    return at + slotSize;
  }

  /** Where the next one may begin. */
  *#slot(entry: SlotEntry): Generator<undefined, number> {
    const { offset, slotSize } = entry;
    const { tally, isSlotBusy, nowSeconds, onSlot } = this.#world;
    const next = offset + slotSize;
    tally.files += 1;
    this.#before = offset;
    if (entry.content === "link") {
      tally.unknown += 1;
      onSlot?.(entry);
      return next;
    }
    const crc = yield* this.#crcOf(entry);
    if (crc === entry.crc32) {
      tally.good += 1;
      this.#sum(entry);
      onSlot?.(entry);
      return yield* this.#behind(entry);
    }
    const isYoung = Math.abs(nowSeconds() - entry.timestamp) < youngSlotSeconds;
    if (isYoung || isSlotBusy(this.#trunk.path, offset)) {
      tally.passedOver += 1;
      return next;
    }
    const again = yield* this.#readAgain(entry);
    if (again === "good") {
      tally.good += 1;
      tally.unsteady += 1;
      this.#sum(entry);
      onSlot?.(entry);
      return next;
    }
    if (again === "changed") {
      tally.passedOver += 1;
      return next;
    }
    if (again === "unreadable") tally.unreadable += 1;
    tally.damaged += 1;
    const isTrue = yield* this.#mayBeginAt(next);
    this.#tell(offset, isTrue ? slotSize : trunkHeaderSize, {
      damage: again === "unreadable" ? "unreadable" : "slot-content",
      crc32: entry.crc32,
      before: undefined,
    });
    if (isTrue) return next;
    // Either its size is a lie, and others are inside of it, or what follows it is damaged as well.
    const other = { damage: "slot-header", crc32: undefined, before: offset } as const;
    this.#tell(next, trunkHeaderSize, other);
    return offset + 1;
  }

  #sum({ fileId, offset, sizeBytes, ...entry }: SlotEntry): void {
    if (this.#world.sums === undefined) return;
    const header = Buffer.alloc(trunkHeaderSize);
    writeTrunkHeader(header, 0, { ...entry, size: sizeBytes });
    this.#world.sums.add(fileId, slotHash(header, 0, offset));
  }

  /** The rest of the slot should be nothing. Where a whole file is in it, the slot's size is a lie. */
  *#behind({ offset, sizeBytes, slotSize, fileId }: SlotEntry): Generator<undefined, number> {
    const next = offset + slotSize;
    let tries = 0;
    for (let at = offset + trunkHeaderSize + sizeBytes; at + trunkHeaderSize <= next; ) {
      if (tries === maxTries) return next;
      if (!(yield* this.#has(at, trunkHeaderSize))) return next;
      const inside = at - this.#windowStart;
      const where = { fileId, offset: at, sizeBytes: this.#sizeBytes };
      const entry = entryAt(this.#window, inside, where);
      if (entry !== undefined && (yield* this.#crcOf(entry)) === entry.crc32) {
        const before = undefined;
        this.#tell(offset, at - offset, { damage: "slot-header", crc32: undefined, before });
        return at;
      }
      tries += entry === undefined ? 0 : 1;
      at += entry === undefined ? Math.max(1, zeroRun(this.#window, inside)) : 1;
    }
    return next;
  }

  *#readAgain(entry: SlotEntry): Generator<undefined, "good" | "bad" | "changed" | "unreadable"> {
    this.#window = Buffer.alloc(0);
    const { offset } = entry;
    if (!(yield* this.#has(offset, trunkHeaderSize))) return "unreadable";
    const where = { fileId: entry.fileId, offset, sizeBytes: this.#sizeBytes };
    const now = entryAt(this.#window, offset - this.#windowStart, where);
    if (now === undefined || now.crc32 !== entry.crc32 || now.timestamp !== entry.timestamp) {
      return "changed";
    }
    const crc = yield* this.#crcOf(entry);
    if (crc === undefined) return "unreadable";
    return crc === entry.crc32 ? "good" : "bad";
  }

  /** Undefined where not all of it can be read. */
  *#crcOf({ offset, sizeBytes }: SlotEntry): Generator<undefined, number | undefined> {
    let at = offset + trunkHeaderSize;
    let crc = 0;
    for (let left = sizeBytes; left > 0; ) {
      if (!(yield* this.#has(at, 1))) return undefined;
      const inside = at - this.#windowStart;
      const piece = this.#window.subarray(inside, inside + left);
      crc = crc32(piece, crc);
      at += piece.length;
      left -= piece.length;
    }
    return crc;
  }

  /** The end of the file, nothing, or another slot. */
  *#mayBeginAt(offset: number): Generator<undefined, boolean> {
    if (offset >= this.#sizeBytes || !(yield* this.#has(offset, 1))) return true;
    const type = this.#window[offset - this.#windowStart];
    return type === 0 || type === fileType || type === linkType;
  }

  /** False where the disk does not give them, or the file ends before. */
  *#has(at: number, length: number): Generator<undefined, boolean> {
    const end = this.#windowStart + this.#window.length;
    if (at >= this.#windowStart && at + length <= end) return true;
    const { pace, tally } = this.#world;
    const most = Math.min(pace?.pieceBytes ?? maxDiskRead, maxDiskRead);
    for (const size of at < this.#carefulUntil
      ? [minPieceBytes, badBlockBytes]
      : [most, minPieceBytes, badBlockBytes]) {
      const wanted = size === badBlockBytes ? Math.max(length, size - (at % size)) : size;
      pace?.began();
      const piece = this.#tryRead(wanted, at);
      pace?.ended(piece?.length ?? 0);
      yield undefined;
      if (piece === undefined) {
        this.#carefulUntil = Math.max(this.#carefulUntil, at + most);
        continue;
      }
      tally.bytes += piece.length;
      this.#window = piece;
      this.#windowStart = at;
      if (size === most && piece.length === most) {
        const from = at + piece.length;
        readAhead(this.#world, this.#file, { from, sizeBytes: this.#sizeBytes });
      }
      return piece.length >= length;
    }
    this.#window = Buffer.alloc(0);
    return false;
  }

  /** It was cut off while it was read. */
  #isShort(at: number): boolean {
    return at + trunkHeaderSize > (this.#file.size() ?? 0);
  }

  #tryRead(length: number, at: number): Buffer | undefined {
    try {
      return this.#file.read(length, at);
    } catch (error) {
      if (!isDiskError(error)) throw error;
      return undefined;
    }
  }

  #beginStrange(at: number, length: number): number {
    this.#strange ??= { offset: at, before: this.#before };
    this.#before = undefined;
    return at + length;
  }

  #endStrange(at: number): void {
    const strange = this.#strange;
    if (strange === undefined) return;
    this.#strange = undefined;
    this.#tell(strange.offset, at - strange.offset, {
      damage: "slot-header",
      crc32: undefined,
      before: strange.before,
    });
  }

  #tell(
    offset: number,
    size: number,
    what: Pick<Finding, "damage" | "crc32"> & { readonly before: number | undefined },
  ): void {
    const { place, fileId } = this.#trunk;
    const { damage, crc32: crc, before } = what;
    const region = { fileId, offset, size, before };
    this.#world.found({ place: `${place}@${offset}`, damage, sizeBytes: size, crc32: crc, region });
  }
}
