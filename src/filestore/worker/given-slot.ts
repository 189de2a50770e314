/**
 * A slot that the group's trunk server gave for one file (protocol §4.4, steps 2 and 3): its trunk file is there with its whole size, and
 * no file stands in it. Worker thread.
 */
import { fileStoreError } from "#filestore/errors.ts";
import { makeTrunkFile } from "#filestore/trunk/make-trunk-file.ts";
import type { ClaimedSlot } from "#filestore/trunk/packed-files.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import { lookIntoSlot } from "#filestore/worker/replicas/slot-look.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { type TrunkLocation, trunkHeaderSize } from "#model/trunk-location.ts";
import { FileError } from "#platform/files.ts";

export type GivenSlot = Omit<TrunkLocation, "storePathIndex">;

/** The bytes of a header that say what a slot holds; those in front of them its kind and sizes. */
const identityStart = 9;
const nothing = new Uint8Array(0);

/** Throws `file-exists` (EEXIST) where the slot is in use, `file-invalid` where it does not fit, `store-full`, `disk-failed`. */
export function takeGivenSlot(
  store: StorePath,
  slot: GivenSlot,
  contentBytes: number,
): ClaimedSlot {
  const { fileId, offset, size, high, low } = slot;
  const { packed, settings } = store;
  if (contentBytes + trunkHeaderSize > size) {
    throw fileStoreError("file-invalid", `a slot of ${size} bytes has no room for ${contentBytes}`);
  }
  if (high >= settings.subdirCount || low >= settings.subdirCount) {
    throw fileStoreError("file-invalid", `there is no directory ${high}/${low} on this store path`);
  }
  if (packed.space.find(fileId) !== undefined) {
    throw inUse(`trunk file ${fileId} is not the trunk server's`);
  }
  const path = packed.pathOf({ id: fileId, high, low });
  onDisk("make a trunk file", () => {
    prepareTrunkFile(store, slot, path);
    if (isOccupied(store, slot, path) || hasFiles(store, slot, path)) {
      throw inUse(`the slot at ${offset} of ${path} is in use`);
    }
  });
  packed.unused.claim(path);
  return { space: undefined, slot: { fileId, offset, size }, path, high, low };
}

function inUse(problem: string): Error {
  return fileStoreError("file-exists", problem, { details: { errno: "EEXIST" } });
}

/** Makes the trunk file, or extends it, so that the slot lies inside of it. Throws `FileError`. */
export function prepareTrunkFile(store: StorePath, slot: GivenSlot, path: string): void {
  const { files, packed } = store;
  const wanted = Math.max(packed.packing.trunkFileBytes, slot.offset + slot.size);
  if (packed.descriptors.covers(path, slot.offset + slot.size)) return;
  const there = packed.descriptors.peek(path);
  if (there !== undefined) {
    files.truncate(there, wanted);
    return;
  }
  const { high, low } = slot;
  makeTrunkFile(store, { path, high, low, sizeBytes: wanted });
}

/** Whether a file stands in the slot; false where there is not even a trunk file. Throws `FileError`. */
export function isSlotInUse(store: StorePath, slot: GivenSlot): boolean {
  const path = store.packed.pathOf({ id: slot.fileId, high: slot.high, low: slot.low });
  if (store.packed.descriptors.peek(path) === undefined) return false;
  return isOccupied(store, slot, path);
}

/**
 * Whether whole files begin further inside. A trunk server of C that was killed has lost what it gave in its last second, and gives it again,
 * joined with what is free around it. Throws `FileError`.
 */
function hasFiles(store: StorePath, slot: GivenSlot, path: string): boolean {
  const { descriptors } = store.packed;
  const descriptor = descriptors.peek(path);
  if (descriptor === undefined) return false;
  const read = (at: number, length: number): Buffer => {
    const target = descriptors.scratch.subarray(0, length);
    return target.subarray(0, store.files.read(descriptor, target, at));
  };
  // What is no file is left over from deleted ones.
  return lookIntoSlot(read, { ...slot, own: () => nothing }).files.length > 0;
}

/** As C looks at it: a header that says nothing but a kind and sizes belongs to nobody. */
function isOccupied(store: StorePath, slot: GivenSlot, path: string): boolean {
  const descriptor = store.packed.descriptors.peek(path);
  if (descriptor === undefined) throw new FileError("ENOENT", `ENOENT: ${path}`, path);
  const header = Buffer.alloc(trunkHeaderSize);
  store.files.read(descriptor, header, slot.offset);
  return header.subarray(identityStart).some((byte) => byte !== 0);
}
