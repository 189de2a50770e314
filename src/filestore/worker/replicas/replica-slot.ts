/**
 * The slot that the name of a peer's packed file says: which file is in it now, and taking it for the new one (protocol §4.4). Group
 * members give slots out again when a file was deleted, and its deletion may come here later than the next file of the slot, or that
 * file late: the one that was made later has the slot. What is no whole file is written over where no file that begins in front of the
 * slot reaches over it: the rest of one that a power cut let be cleared in part is nobody's. Worker thread.
 */
import { fileStoreError } from "#filestore/errors.ts";
import { encodeTrunkHeader, type TrunkSlotContent } from "#filestore/formats/trunk-header.ts";
import { maxTrunkFileBytes } from "#filestore/packing.ts";
import type { ClaimedSlot } from "#filestore/trunk/packed-files.ts";
import { reachesOver, zeroRun } from "#filestore/trunk/slot-walk.ts";
import type { TrunkFileSpace } from "#filestore/trunk/trunk-space.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import { prepareTrunkFile } from "#filestore/worker/given-slot.ts";
import { lookIntoSlot } from "#filestore/worker/replicas/slot-look.ts";
import { runToEnd } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import type { TrunkSlotPlace } from "#filestore/worker/trunk-slot.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { FileError } from "#platform/files.ts";

export interface SlotImage {
  readonly place: FilePlace;
  readonly slot: TrunkSlotPlace;
  readonly type: TrunkSlotContent;
  /** Up to `length` bytes of the content from `at` on. Throws `FileError`. */
  readonly content: (at: number, length: number) => Uint8Array;
  /** Its header stands there, and in front of another content than its name says. */
  readonly isHere: boolean;
  /** It was seen that nothing is in the slot. */
  readonly isEmpty?: boolean;
}

/** What changes of one slot exclude each other by, whatever the names are. */
export function slotLockKey({ path, offset }: Pick<TrunkSlotPlace, "path" | "offset">): string {
  return `${path}@${offset}`;
}

/**
 * Takes the slot for this file. Undefined where it holds one that was made later. Throws `file-exists` where something is in it of which
 * nobody can say whether it is needed, `store-path-unready` while another change of the slot is under way, `file-invalid`, `FileError`.
 */
export function takeReplicaSlot(store: StorePath, image: SlotImage): ClaimedSlot | undefined {
  const { place, slot } = image;
  const { packed, locks, settings } = store;
  const { high, low } = place;
  const { fileId, offset, size, path } = slot;
  if (high >= settings.subdirCount || low >= settings.subdirCount) {
    throw fileStoreError("file-invalid", `there is no directory ${high}/${low} on this store path`);
  }
  if (offset + size > maxTrunkFileBytes) {
    throw fileStoreError("file-invalid", `${place.name} lies outside of any trunk file`);
  }
  if (locks.has(slotLockKey(slot))) {
    throw fileStoreError("store-path-unready", `the slot of ${place.name} is being changed`);
  }
  const claim = { slot: { fileId, offset, size }, path, high, low };
  if (image.isHere) return foreignClaim(store, claim);
  const own = packed.space.find(fileId);
  if (own !== undefined) {
    const isFree = own.use !== "busy" && own.path === path && own.free?.take(offset, size) === true;
    if (isFree) return { ...claim, space: own };
    if (own.path === path && isVacated(store, own, image)) return foreignClaim(store, claim);
    throw inUse(store, image, "it is in a trunk file of this node, and not free");
  }
  prepareTrunkFile(store, { ...claim.slot, high, low }, path);
  if (image.isEmpty !== true && !clearForeign(store, image)) return undefined;
  return foreignClaim(store, claim);
}

/** A file was here and was lost, such as in a power cut: its slot was kept for it. */
function isVacated(store: StorePath, own: TrunkFileSpace, { slot }: SlotImage): boolean {
  const { path, offset, size } = slot;
  const { files, packed } = store;
  const isOnItsWay = own.use === "busy" || packed.isClaimed(own);
  if (isOnItsWay || own.free === undefined || own.free.touches(offset, size)) return false;
  const descriptor = packed.descriptors.peek(path);
  const { scratch } = packed.descriptors;
  for (let at = 0; at < size; at += scratch.length) {
    const wanted = scratch.subarray(0, Math.min(scratch.length, size - at));
    const got = descriptor === undefined ? 0 : files.read(descriptor, wanted, offset + at);
    if (zeroRun(wanted.subarray(0, got), 0) < wanted.length) return false;
  }
  return true;
}

/** The trunk file is there until the slot is recorded, or given back. */
function foreignClaim(store: StorePath, claim: Omit<ClaimedSlot, "space">): ClaimedSlot {
  store.packed.unused.claim(claim.path);
  return { ...claim, space: undefined };
}

/** True where nothing is in the slot any more that is to stay. */
function clearForeign(store: StorePath, image: SlotImage): boolean {
  const { path, fileId, offset, size } = image.slot;
  const { name } = image.place;
  const { descriptors } = store.packed;
  const scratch = descriptors.scratch;
  const read = (at: number, length: number): Buffer => {
    const descriptor = descriptors.peek(path);
    if (descriptor === undefined) throw new FileError("ENOENT", `ENOENT: ${path}`, path);
    const target = scratch.subarray(0, length);
    return target.subarray(0, store.files.read(descriptor, target, at));
  };
  const header = headerOf(image);
  const look = lookIntoSlot(read, {
    ...{ offset, size },
    own: (at, length) =>
      at === 0
        ? Buffer.concat([header, image.content(0, length)])
        : image.content(at - trunkHeaderSize, length),
  });
  if (look.hasRest && isReachedOver(store, image.slot)) {
    throw inUse(store, image, "a file that begins in front of it reaches over it");
  }
  const newer = look.files.find((other) => !isNewer(header, other.header));
  if (newer !== undefined) {
    store.log.notice("slot-has-newer-file", { name, made: newer.timestamp });
    return false;
  }
  for (const other of look.files) {
    store.log.notice("slot-file-replaced", { name, made: other.timestamp });
    store.packed.clear({ path, fileId, offset: other.offset, size: other.slotSize });
  }
  if (look.hasRest) {
    store.log.notice("slot-rest-cleared", { name, path, offset });
    store.packed.clear({ path, fileId, offset, size });
  }
  return true;
}

/** Seldom asked, so that it reads all of the trunk file in front of the slot at once. */
function isReachedOver({ files, packed }: StorePath, { path, offset }: TrunkSlotPlace): boolean {
  const descriptor = packed.descriptors.peek(path);
  if (descriptor === undefined) return false;
  let window = Buffer.alloc(0);
  const read = (at: number, length: number): Buffer => {
    if (window.length < length) window = Buffer.allocUnsafe(length);
    return window.subarray(0, files.read(descriptor, window.subarray(0, length), at));
  };
  const actualBytes = files.statDescriptor(descriptor).sizeBytes;
  return runToEnd(reachesOver({ read, actualBytes }, offset));
}

function headerOf({ place, slot, type }: SlotImage): Buffer {
  return encodeTrunkHeader(place.base, slot.decoded, type);
}

/** By the times in both headers; where these are equal by the rest, so that all storages come to the same. */
function isNewer(header: Buffer, there: Buffer): boolean {
  const times = header.readUInt32BE(13) - there.readUInt32BE(13);
  if (times !== 0) return times > 0;
  return header.compare(there, 0, trunkHeaderSize) > 0;
}

function inUse(store: StorePath, { place, slot }: SlotImage, why: string): Error {
  const { name } = place;
  const { path, offset } = slot;
  store.log.warn("slot-in-use", { name, path, offset, why });
  const details = { errno: "EEXIST" };
  return fileStoreError("file-exists", `the slot of ${name} is in use: ${why}`, { details });
}
