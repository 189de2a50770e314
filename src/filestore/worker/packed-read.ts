/**
 * Reading packed files: header and content by one call where the file is small, else a piece at a time. A slot may be cleared, and given
 * to another file, between two pieces; so each later piece is read together with a look at the header. Worker thread.
 */
import { fileStoreError } from "#filestore/errors.ts";
import type { TrunkSlotContent } from "#filestore/formats/trunk-header.ts";
import { readTogetherBytes } from "#filestore/trunk/limits.ts";
import { diskFailure, onDisk } from "#filestore/worker/disk-failure.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import type { ReadHandle } from "#filestore/worker/file-reader.ts";
import {
  readSlot,
  type SlotWorld,
  slotPlace,
  type TrunkSlotPlace,
} from "#filestore/worker/trunk-slot.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";

/** A link's name is shorter. */
const maxLinkBytes = 256;

export interface OpenedSlot {
  readonly content: TrunkSlotContent;
  readonly slot: TrunkSlotPlace;
  /** Reads the content of the slot. */
  readonly handle: ReadHandle;
}

export class PackedReader {
  readonly #world: SlotWorld;
  readonly #buffer = Buffer.allocUnsafeSlow(trunkHeaderSize + readTogetherBytes);
  readonly #header = Buffer.allocUnsafeSlow(trunkHeaderSize);
  /** Whose content is in the buffer. */
  #buffered: PackedFile | undefined;

  constructor(world: SlotWorld) {
    this.#world = world;
  }

  /** Undefined where the slot is not there, or not the named file's. Throws `disk-failed`. */
  open(place: FilePlace): OpenedSlot | undefined {
    const slot = slotPlace(this.#world.layout, place);
    if (slot === undefined) return undefined;
    this.#buffered = undefined;
    const together = slot.sizeBytes <= readTogetherBytes ? slot.sizeBytes : 0;
    const wanted = this.#buffer.subarray(0, trunkHeaderSize + together);
    const found = onDisk(`read ${place.name}`, () => readSlot(this.#world, slot, wanted));
    if (found === undefined) return undefined;
    const handle = new PackedFile(this, slot);
    if (together > 0 && found.read === together) this.#buffered = handle;
    return { content: found.content, slot, handle };
  }

  /** The name that a link's slot holds. Throws `disk-failed`. */
  linkedName(opened: OpenedSlot): string {
    const text = Buffer.alloc(Math.min(opened.slot.sizeBytes, maxLinkBytes));
    return text.toString("latin1", 0, opened.handle.read(text, 0));
  }

  /** Throws `file-missing` where the slot is not the file's any more. */
  read(file: PackedFile, target: Uint8Array, position: number): number {
    if (this.#buffered === file) {
      const start = trunkHeaderSize + position;
      return this.#buffer.copy(target, 0, start, trunkHeaderSize + file.sizeBytes);
    }
    const { slot } = file;
    const { files, packed } = this.#world;
    try {
      const descriptor = packed.descriptors.peek(slot.path);
      const isThere = readSlot(this.#world, slot, this.#header) !== undefined;
      if (descriptor !== undefined && isThere) {
        return files.read(descriptor, target, slot.contentOffset + position);
      }
    } catch (error) {
      throw diskFailure(error, "read a packed file");
    }
    throw fileStoreError("file-missing", "the file was deleted while it was read");
  }
}

class PackedFile implements ReadHandle {
  readonly slot: TrunkSlotPlace;
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
  readonly #reader: PackedReader;

  constructor(reader: PackedReader, slot: TrunkSlotPlace) {
    this.#reader = reader;
    this.slot = slot;
    this.sizeBytes = slot.sizeBytes;
    this.modifiedSeconds = slot.decoded.timestamp;
  }

  read(target: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(target.length, this.sizeBytes - position));
    if (length === 0) return 0;
    return this.#reader.read(
      this,
      length === target.length ? target : target.subarray(0, length),
      position,
    );
  }

  /** Nothing is held. */
  close(): void {}
}
