/**
 * A slot that the group's trunk server gave for one file (protocol §4.4, steps 2 and 3): its trunk file is there with its whole size, and
 * nothing stands in it. Worker thread.
 */
import { fileStoreError } from "#filestore/errors.ts";
import type { ClaimedSlot } from "#filestore/trunk/packed-files.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { type TrunkLocation, trunkHeaderSize } from "#model/trunk-location.ts";
import { FileError } from "#platform/files.ts";

export type GivenSlot = Omit<TrunkLocation, "storePathIndex">;

/** The bytes of a header that say what a slot holds; those in front of them its kind and sizes. */
const identityStart = 9;

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
    prepare(store, slot, path);
    if (isOccupied(store, slot, path)) throw inUse(`the slot at ${offset} of ${path} is in use`);
  });
  return { space: undefined, slot: { fileId, offset, size }, path, high, low };
}

function inUse(problem: string): Error {
  return fileStoreError("file-exists", problem, { details: { errno: "EEXIST" } });
}

/** Makes the trunk file, or extends it, so that the slot lies inside of it. */
function prepare(store: StorePath, slot: GivenSlot, path: string): void {
  const { files, packed, tree } = store;
  const wanted = Math.max(packed.packing.trunkFileBytes, slot.offset + slot.size);
  const there = packed.descriptors.peek(path);
  if (there !== undefined) {
    const { sizeBytes } = files.statDescriptor(there);
    if (sizeBytes < slot.offset + slot.size) files.truncate(there, wanted);
    return;
  }
  tree.ensure(slot);
  const descriptor = files.open(path, "create");
  try {
    files.truncate(descriptor, wanted);
  } finally {
    files.close(descriptor);
  }
  if (!store.flushed) return;
  const directory = path.slice(0, path.lastIndexOf("/"));
  for (const each of [directory, ...tree.takeUnflushed().map((target) => target.path)]) {
    files.flushDirectory(each);
  }
}

/** As C looks at it: a header that says nothing but a kind and sizes belongs to nobody. */
function isOccupied(store: StorePath, slot: GivenSlot, path: string): boolean {
  const descriptor = store.packed.descriptors.peek(path);
  if (descriptor === undefined) throw new FileError("ENOENT", `ENOENT: ${path}`, path);
  const header = Buffer.alloc(trunkHeaderSize);
  store.files.read(descriptor, header, slot.offset);
  return header.subarray(identityStart).some((byte) => byte !== 0);
}
