/**
 * What a trunk file itself says of its space, for when no note does: a walk over its bytes (protocol §4.2). Every byte is looked at,
 * so that nothing that a reader could find is ever called free: space is free only where zeros are that no possible header reaches
 * over. A slot whose content has the CRC-32 of its header is jumped over; one that lies is searched byte by byte for slots inside of
 * it, since its size may be the lie. Pure; reads through the function it is given, in steps.
 */
import { crc32 } from "node:zlib";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";

/** The bytes at a place: fewer than asked for only where the file ends. Used until the next call. */
export type ReadBytes = (offset: number, length: number) => Uint8Array;

export interface WalkedRegion {
  readonly offset: number;
  readonly size: number;
}

export interface SlotWalkResult {
  readonly free: FreeExtents;
  /** Slots whose content is what their header says. */
  readonly slots: number;
  /** Neither free nor a good slot; neighbours are one. Only the first ones, see `maxReported`. */
  readonly damaged: readonly WalkedRegion[];
  readonly damagedBytes: number;
}

/** What is read at a time, and done between two yields. */
const windowBytes = 1024 * 1024;
const maxReported = 100;
/** Bytes that may be checked in vain, as a multiple of the file's size: rubbish made to look like headers must not take hours. */
const maxCheckedFactor = 2;

const fileType = 0x46;
const linkType = 0x4c;

export interface Walk {
  readonly read: ReadBytes;
  /** The size that the file ought to have, and the one that it has. */
  readonly sizeBytes: number;
  readonly actualBytes: number;
  /** Shorter runs of zeros are not worth keeping. */
  readonly slotMinBytes: number;
  /** A whole slot begins there; in ascending order. */
  readonly onSlot?: (offset: number) => void;
}

export interface PlausibleHeader {
  readonly slotSize: number;
  readonly sizeBytes: number;
  readonly crc: number;
}

/** Walks a file in steps. */
export function walkSlots(walk: Walk): Generator<void, SlotWalkResult> {
  return new SlotWalk(walk).run();
}

/**
 * Whether a slot that a reader could find begins before `offset` and reaches over it. In steps, over everything in front of `offset`: where
 * a slot begins is known from the one before it alone.
 */
export function reachesOver(
  walk: Pick<Walk, "read" | "actualBytes">,
  offset: number,
): Generator<void, boolean> {
  const { read, actualBytes } = walk;
  const sizeBytes = actualBytes;
  return new SlotWalk({ read, actualBytes, sizeBytes, slotMinBytes: 1 }).reachesOver(offset);
}

class SlotWalk {
  readonly #walk: Walk;
  readonly #end: number;
  readonly #free = new FreeExtents();
  readonly #damaged: { offset: number; size: number }[] = [];
  #damagedBytes = 0;
  #slots = 0;
  /** Behind every slot that may be: nothing before it is free. */
  #reach = 0;
  /** Behind every slot that is. */
  #good = 0;
  #checkable: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor(walk: Walk) {
    this.#walk = walk;
    this.#end = Math.min(walk.sizeBytes, walk.actualBytes);
    this.#checkable = this.#end * maxCheckedFactor;
  }

  *run(): Generator<void, SlotWalkResult> {
    let at = 0;
    let stepEnd = windowBytes;
    while (at < this.#end) {
      at = yield* this.#next(at);
      if (at < stepEnd) continue;
      stepEnd = at + windowBytes;
      yield;
    }
    // Beyond the end there may have been anything.
    this.#noteDamage(this.#end, this.#walk.sizeBytes);
    return {
      free: this.#free,
      slots: this.#slots,
      damaged: this.#damaged,
      damagedBytes: this.#damagedBytes,
    };
  }

  *reachesOver(offset: number): Generator<void, boolean> {
    let at = 0;
    while (at < Math.min(offset, this.#end)) at = yield* this.#next(at);
    return this.#reach > offset;
  }

  /** Looks at what begins at `at`; returns where to go on. */
  *#next(at: number): Generator<void, number> {
    this.#load(at, trunkHeaderSize);
    const from = at - this.#windowStart;
    const first = this.#window[from];
    if (first === undefined) return this.#end;
    if (first === 0) return yield* this.#zeros(at);
    const header = plausibleHeader(this.#window.subarray(from), this.#end - at);
    if (header === undefined) {
      this.#noteDamage(Math.max(at, this.#good), at + 1);
      return at + 1;
    }
    this.#reach = Math.max(this.#reach, at + header.slotSize);
    if (!(yield* this.#isWhole(at, header))) {
      this.#noteDamage(Math.max(at, this.#good), at + 1);
      return at + 1;
    }
    this.#slots += 1;
    this.#walk.onSlot?.(at);
    this.#good = Math.max(this.#good, at + header.slotSize);
    return at + trunkHeaderSize + header.sizeBytes;
  }

  /** A run of zeros: what of it nothing reaches over is free. */
  *#zeros(at: number): Generator<void, number> {
    let end = at;
    for (;;) {
      this.#load(end, 1);
      const from = end - this.#windowStart;
      const run = zeroRun(this.#window, from);
      end += run;
      if (end >= this.#end || from + run < this.#window.length) break;
      yield;
    }
    const start = Math.max(at, this.#reach);
    if (end - start >= this.#walk.slotMinBytes) this.#free.add(start, end - start);
    this.#noteDamage(Math.max(at, this.#good), Math.min(start, end));
    return end;
  }

  *#isWhole(at: number, header: PlausibleHeader): Generator<void, boolean> {
    if (header.sizeBytes > this.#checkable) return false;
    let crc = 0;
    let position = at + trunkHeaderSize;
    const end = position + header.sizeBytes;
    while (position < end) {
      this.#load(position, 1);
      const from = position - this.#windowStart;
      const piece = this.#window.subarray(from, from + end - position);
      if (piece.length === 0) return false;
      crc = crc32(piece, crc);
      position += piece.length;
      if (position < end) yield;
    }
    if (crc === header.crc) return true;
    this.#checkable -= header.sizeBytes;
    return false;
  }

  #load(at: number, length: number): void {
    const from = at - this.#windowStart;
    if (from >= 0 && from + length <= this.#window.length) return;
    const wanted = Math.min(windowBytes, this.#end - at);
    this.#window = this.#walk.read(at, wanted).subarray(0, wanted);
    this.#windowStart = at;
  }

  #noteDamage(from: number, to: number): void {
    if (to <= from) return;
    this.#damagedBytes += to - from;
    const last = this.#damaged.at(-1);
    if (last !== undefined && last.offset + last.size === from) last.size = to - last.offset;
    else if (this.#damaged.length < maxReported) {
      this.#damaged.push({ offset: from, size: to - from });
    }
  }
}

/** What may be a header, for a reader that knows its name; `room` is what is left of the file. */
export function plausibleHeader(bytes: Uint8Array, room: number): PlausibleHeader | undefined {
  const type = bytes[0];
  if (type !== fileType && type !== linkType) return undefined;
  if (bytes.length < trunkHeaderSize) return undefined;
  const slotSize = word(bytes, 1);
  const sizeBytes = word(bytes, 5);
  if (slotSize > room || sizeBytes + trunkHeaderSize > slotSize) return undefined;
  for (let at = 17; at < trunkHeaderSize; at += 1) {
    if (!isNameByte(bytes[at] as number)) return undefined;
  }
  return { slotSize, sizeBytes, crc: word(bytes, 9) };
}

/** What the last seven characters of a name are made of. */
function isNameByte(code: number): boolean {
  const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
  const digit = code >= 0x30 && code <= 0x39;
  return letter || digit || code === 0x2d || code === 0x2e || code === 0x5f;
}

function word(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

const zeros = Buffer.alloc(64 * 1024);

/** How many zeros there are from `from` on. */
export function zeroRun(bytes: Uint8Array, from: number): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = from;
  while (at < view.length) {
    const length = Math.min(zeros.length, view.length - at);
    if (view.compare(zeros, 0, length, at, at + length) !== 0) break;
    at += length;
  }
  while (at < view.length && view[at] === 0) at += 1;
  return at - from;
}
