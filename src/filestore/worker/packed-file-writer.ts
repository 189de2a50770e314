/**
 * Receives a new file into a slot of a trunk file. A body that comes in one piece goes, with its header, into the run of slots that are
 * written together; others are received straight into their slot, and their header follows when the last byte is there. Worker thread.
 */
import { crc32 } from "node:zlib";
import { fileStoreError } from "#filestore/errors.ts";
import { type TrunkHeaderFields, writeTrunkHeader } from "#filestore/formats/trunk-header.ts";
import { directContentBytes } from "#filestore/trunk/limits.ts";
import type { ClaimedSlot } from "#filestore/trunk/packed-files.ts";
import type { SlotRun } from "#filestore/trunk/slot-runs.ts";
import type { LentDescriptor } from "#filestore/trunk/trunk-descriptors.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import { PackedCreate } from "#filestore/worker/packed-create.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import type { WriteHandle } from "#filestore/worker/write-handle.ts";
import { makeBase, makeTail, randomBitsLimit, randomDigitsLimit } from "#model/file-base.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { FileError } from "#platform/files.ts";

export interface NewPackedFile {
  readonly extension: string;
  /** Exact. */
  readonly lengthBytes: number;
  readonly claim: ClaimedSlot;
}

export class PackedFileWriter implements WriteHandle {
  readonly #store: StorePath;
  readonly #file: NewPackedFile;
  readonly #tail: string;
  /** When the name was made; undefined before its content was known. */
  #namedMs: number | undefined;
  #crc = 0;
  #received = 0;
  #lent: LentDescriptor | undefined;
  #place: FilePlace | undefined;
  #run: SlotRun | undefined;
  /** Something may stand in the slot. */
  #written = false;
  #finished = false;

  constructor(store: StorePath, file: NewPackedFile) {
    this.#store = store;
    this.#file = file;
    this.#tail = makeTail(file.extension, store.random.below(randomDigitsLimit));
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const { lengthBytes } = this.#file;
    if (this.#received + bytes.length > lengthBytes) throw this.#wrongLength(bytes.length);
    this.#crc = crc32(bytes, this.#crc);
    const whole = bytes.length === lengthBytes && lengthBytes <= directContentBytes;
    if (whole) this.#addToRun(bytes);
    else this.#writeAt(trunkHeaderSize + this.#received, bytes);
    this.#received += bytes.length;
  }

  finish(): PackedCreate {
    const { claim, lengthBytes } = this.#file;
    if (this.#received !== lengthBytes) throw this.#wrongLength(0);
    if (lengthBytes === 0) this.#addToRun(new Uint8Array(0));
    if (this.#run === undefined) {
      const header = Buffer.allocUnsafe(trunkHeaderSize);
      writeTrunkHeader(header, 0, this.#header());
      this.#writeAt(0, header);
    }
    const place = this.#place ?? this.#name();
    const lent = this.#trunkFile();
    this.#finished = true;
    return new PackedCreate(this.#store.packed, {
      claim,
      run: this.#run,
      lent,
      name: place.name,
      timestamp: this.#timestamp,
      namedMs: this.#takeTime(),
    });
  }

  abort(): void {
    if (this.#finished) return;
    this.#finished = true;
    const { packed, names } = this.#store;
    if (this.#namedMs !== undefined) names.give(this.#namedMs);
    if (this.#run !== undefined) packed.runs.settle(this.#run);
    packed.giveBack(this.#file.claim, this.#written);
    if (this.#lent !== undefined) packed.descriptors.giveBack(this.#lent);
  }

  /**
   * Only when the whole is there, where C takes the begin of the upload: names that are given and not recorded hold up what peers can
   * be said to have.
   */
  #takeTime(): number {
    this.#namedMs ??= this.#store.names.take();
    return this.#namedMs;
  }

  /** Unix seconds. */
  get #timestamp(): number {
    return Math.floor(this.#takeTime() / 1000);
  }

  #addToRun(content: Uint8Array): void {
    const { path, slot } = this.#file.claim;
    this.#written = true;
    this.#run = this.#store.packed.runs.add({
      path,
      offset: slot.offset,
      slotSize: slot.size,
      header: this.#header(),
      content,
    });
  }

  /** `position` is inside of the slot. */
  #writeAt(position: number, bytes: Uint8Array): void {
    onDisk("store a packed file", () => {
      const { descriptor } = this.#trunkFile();
      this.#written = true;
      this.#store.files.write(descriptor, bytes, this.#file.claim.slot.offset + position);
    });
  }

  #trunkFile(): LentDescriptor {
    const { path } = this.#file.claim;
    this.#lent ??= onDisk("open a trunk file", () => this.#store.packed.descriptors.lend(path));
    if (this.#lent !== undefined) return this.#lent;
    const problem = `${path} is gone`;
    throw fileStoreError("disk-failed", problem, { cause: new FileError("ENOENT", problem) });
  }

  #header(): TrunkHeaderFields {
    const { claim, lengthBytes } = this.#file;
    return {
      slotSize: claim.slot.size,
      size: lengthBytes,
      crc32: this.#crc,
      timestamp: this.#timestamp,
      tail: this.#tail,
    };
  }

  /** The slot belongs to nobody else, and is part of the name: no other file has it. */
  #name(): FilePlace {
    const { layout, source, random } = this.#store;
    const { claim, lengthBytes } = this.#file;
    const base = makeBase({
      source,
      kind: "trunk",
      timestamp: this.#timestamp,
      size: lengthBytes,
      crc32: this.#crc,
      randomBits: random.below(randomBitsLimit),
      trunk: claim.slot,
      tail: this.#tail,
    });
    this.#place = layout.placeOf({ high: claim.high, low: claim.low, base });
    return this.#place;
  }

  #wrongLength(more: number): Error {
    const problem = `${this.#file.lengthBytes} bytes were announced, ${this.#received + more} came`;
    return fileStoreError("file-invalid", problem);
  }
}
