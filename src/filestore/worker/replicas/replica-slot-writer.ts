/**
 * Receives a packed file that a peer made, into the slot that its name says. What comes in one piece goes, with its header, into the run of
 * slots that are written together, as uploads do; others are received beside and copied when they are whole, the header last. The
 * name is locked from the begin, the slot from the end of the body. Worker thread.
 */
import { crc32 } from "node:zlib";
import { fileStoreError } from "#filestore/errors.ts";
import {
  encodeTrunkHeader,
  matchTrunkHeader,
  type TrunkHeaderFields,
} from "#filestore/formats/trunk-header.ts";
import type { ClaimedSlot } from "#filestore/trunk/packed-files.ts";
import { maxRunBytes } from "#filestore/trunk/slot-runs.ts";
import { zeroRun } from "#filestore/trunk/slot-walk.ts";
import type { LentDescriptor } from "#filestore/trunk/trunk-descriptors.ts";
import { RecordChange } from "#filestore/worker/changes/record-change.ts";
import type { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import { lockKey } from "#filestore/worker/file-layout.ts";
import { PackedCreate } from "#filestore/worker/packed-create.ts";
import {
  type SlotImage,
  slotLockKey,
  takeReplicaSlot,
} from "#filestore/worker/replicas/replica-slot.ts";
import type { ReplicaTarget } from "#filestore/worker/replicas/replica-writer.ts";
import { copySteps, runToEnd, type StagedFile } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { readSlot, type TrunkSlotPlace } from "#filestore/worker/trunk-slot.ts";
import { StagedBody, type WriteHandle } from "#filestore/worker/write-handle.ts";
import { tailOf } from "#model/file-base.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { FileError } from "#platform/files.ts";

export interface ReplicaSlotTarget extends ReplicaTarget {
  readonly slot: TrunkSlotPlace;
}

const nothing = new Uint8Array(0);

export class ReplicaSlotWriter implements WriteHandle {
  readonly #store: StorePath;
  readonly #target: ReplicaSlotTarget;
  readonly body: StagedBody;
  #crc = 0;
  #whole: Uint8Array | undefined;
  /** The header of the file stands in the slot. */
  #isHere = false;
  /** The slot is zeros. */
  #isEmpty = false;
  #finished = false;

  constructor(store: StorePath, target: ReplicaSlotTarget) {
    this.#store = store;
    this.#target = target;
    this.body = new StagedBody(store);
    store.locks.add(lockKey(target.place.name));
  }

  write(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    if (bytes.length > 0) this.body.write(bytes);
  }

  writeWhole(bytes: Uint8Array): void {
    this.#crc = crc32(bytes);
    this.#whole = bytes;
  }

  finish(): StagedChange {
    const { place } = this.#target;
    const isStaged = this.body.received > 0;
    if (!isStaged) this.#whole ??= nothing;
    this.#requireRight();
    return onDisk(`store ${place.name}`, () => {
      if (this.#isNeedless()) return this.#already();
      return isStaged ? this.#copied() : this.#run(this.#whole ?? nothing);
    });
  }

  abort(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.body.drop();
    this.#store.locks.delete(lockKey(this.#target.place.name));
  }

  /** Throws `content-damaged`. */
  #requireRight(): void {
    const { place, slot, crc32: told } = this.#target;
    const { crc32: named } = slot.decoded;
    const received = this.#whole?.length ?? this.body.received;
    const isRight = received === slot.sizeBytes && this.#crc === named;
    if (isRight && (told ?? named) === named) return;
    const found = `${received} bytes with CRC-32 ${this.#crc}`;
    const problem = `${place.name} came damaged: ${found} instead of ${slot.sizeBytes} with ${named}`;
    throw fileStoreError("content-damaged", problem);
  }

  /** It is here as it is to be, or is not to come back. */
  #isNeedless(): boolean {
    const { place, slot, mode, timestamp } = this.#target;
    const { removed, endedWell, packed } = this.#store;
    if (mode === "create" && removed.covers(place, { timestamp })) return true;
    this.#isHere = this.#look();
    if (!this.#isHere) return false;
    // It may lack its record, and be on no stable storage: it is written once more.
    if (!endedWell || packed.hasUnrecorded) return false;
    const found = Buffer.allocUnsafe(trunkHeaderSize + slot.sizeBytes);
    const there = readSlot(this.#store, slot, found);
    if (there === undefined || there.read < slot.sizeBytes) return false;
    if (there.content === "link") return true;
    return crc32(found.subarray(trunkHeaderSize)) === slot.decoded.crc32;
  }

  /** True where the header of this file stands in the slot; also sees whether nothing does, where one read tells. */
  #look(): boolean {
    const { files, packed } = this.#store;
    const { place, slot } = this.#target;
    const descriptor = packed.descriptors.peek(slot.path);
    if (descriptor === undefined) return false;
    const { scratch } = packed.descriptors;
    const wanted = scratch.subarray(0, Math.min(slot.size, scratch.length));
    const there = wanted.subarray(0, files.read(descriptor, wanted, slot.offset));
    this.#isEmpty = there.length === slot.size && zeroRun(there, 0) === slot.size;
    if (this.#isEmpty || there.length < trunkHeaderSize) return false;
    return matchTrunkHeader(there, place.base, slot.decoded) !== undefined;
  }

  #already(): StagedChange {
    this.#finished = true;
    this.body.drop();
    const key = lockKey(this.#target.place.name);
    return new RecordChange(this.#store, { key, lines: "", outcome: "already" });
  }

  #run(bytes: Uint8Array): StagedChange {
    const claim = this.#take((at, length) => bytes.subarray(at, at + length));
    if (claim === undefined) return this.#already();
    const { packed } = this.#store;
    const { offset, size } = claim.slot;
    const lent = this.#lend(claim);
    const run =
      size > maxRunBytes
        ? undefined
        : packed.runs.add({
            ...{ path: claim.path, offset, slotSize: size, content: bytes },
            header: headerFields(this.#target),
          });
    if (run === undefined) this.#writeNow(claim, lent, () => this.#writeBytes(claim, lent, bytes));
    return this.#change(claim, lent, run);
  }

  #copied(): StagedChange {
    const staged = this.body.take();
    try {
      const claim = this.#take((at, length) => this.#part(staged, at, length));
      if (claim === undefined) return this.#already();
      const lent = this.#lend(claim);
      this.#writeNow(claim, lent, () => this.#copy(claim, lent, staged));
      return this.#change(claim, lent, undefined);
    } finally {
      staged.drop();
    }
  }

  #take(content: SlotImage["content"]): ClaimedSlot | undefined {
    const { place, slot } = this.#target;
    return takeReplicaSlot(this.#store, {
      ...{ place, slot, type: "file", content },
      ...{ isHere: this.#isHere, isEmpty: this.#isEmpty },
    });
  }

  #lend(claim: ClaimedSlot): LentDescriptor {
    const { packed } = this.#store;
    const lent = packed.descriptors.lend(claim.path);
    if (lent !== undefined) return lent;
    packed.giveBack(claim, false);
    throw new FileError("ENOENT", `ENOENT: ${claim.path}`, claim.path);
  }

  #writeNow(claim: ClaimedSlot, lent: LentDescriptor, write: () => void): void {
    const { packed } = this.#store;
    try {
      write();
    } catch (error) {
      packed.giveBack(claim, true);
      packed.descriptors.giveBack(lent);
      throw error;
    }
  }

  #writeBytes({ slot }: ClaimedSlot, { descriptor }: LentDescriptor, bytes: Uint8Array): void {
    this.#store.files.write(descriptor, bytes, slot.offset + trunkHeaderSize);
    this.#store.files.write(descriptor, this.#header(), slot.offset);
  }

  #copy({ slot }: ClaimedSlot, { descriptor }: LentDescriptor, staged: StagedFile): void {
    const { files } = this.#store;
    const offset = slot.offset + trunkHeaderSize;
    const length = this.#target.slot.sizeBytes;
    runToEnd(copySteps(files, { from: staged.path, to: descriptor, offset, length }));
    files.write(descriptor, this.#header(), slot.offset);
  }

  #header(): Buffer {
    const { place, slot } = this.#target;
    return encodeTrunkHeader(place.base, slot.decoded, "file");
  }

  /** Of the body. Throws `FileError`. */
  #part(staged: StagedFile, at: number, length: number): Buffer {
    const { files } = this.#store;
    const bytes = Buffer.allocUnsafe(length);
    const descriptor = files.open(staged.path, "read");
    try {
      return bytes.subarray(0, files.read(descriptor, bytes, at));
    } finally {
      files.close(descriptor);
    }
  }

  #change(
    claim: ClaimedSlot,
    lent: LentDescriptor,
    run: ReturnType<StorePath["packed"]["runs"]["add"]> | undefined,
  ): StagedChange {
    const { place, slot, timestamp } = this.#target;
    const { locks, packed, removed } = this.#store;
    this.#finished = true;
    removed.forget(place.name);
    locks.add(slotLockKey(slot));
    const keys = { name: lockKey(place.name), slot: slotLockKey(slot) };
    return new PackedCreate(packed, { claim, run, lent, name: place.name, timestamp, keys });
  }
}

function headerFields({ place, slot }: ReplicaSlotTarget): TrunkHeaderFields {
  const { timestamp, crc32: crc } = slot.decoded;
  return {
    ...{ slotSize: slot.size, size: slot.sizeBytes, crc32: crc, timestamp },
    tail: tailOf(place.base),
  };
}

/** A link of a trunk file: a slot that holds the name of another file. Undefined where a newer file has the slot. Throws as `takeReplicaSlot`. */
export function writeLinkSlot(
  store: StorePath,
  link: Pick<ReplicaSlotTarget, "place" | "slot" | "timestamp"> & { readonly source: string },
): StagedChange | undefined {
  const { place, slot, timestamp, source } = link;
  const { packed, locks, files } = store;
  const bytes = Buffer.from(source, "latin1");
  const content: SlotImage["content"] = (at, length) => bytes.subarray(at, at + length);
  const claim = takeReplicaSlot(store, { place, slot, type: "link", content, isHere: false });
  if (claim === undefined) return undefined;
  const lent = packed.descriptors.lend(claim.path);
  try {
    if (lent === undefined) throw new FileError("ENOENT", `ENOENT: ${claim.path}`, claim.path);
    files.write(lent.descriptor, bytes, slot.offset + trunkHeaderSize);
    files.write(lent.descriptor, encodeTrunkHeader(place.base, slot.decoded, "link"), slot.offset);
  } catch (error) {
    packed.giveBack(claim, lent !== undefined);
    if (lent !== undefined) packed.descriptors.giveBack(lent);
    throw error;
  }
  const keys = { name: lockKey(place.name), slot: slotLockKey(slot) };
  for (const key of [keys.name, keys.slot]) locks.add(key);
  const { name } = place;
  return new PackedCreate(packed, {
    ...{ claim, run: undefined, lent, name, timestamp, keys, target: source },
  });
}
