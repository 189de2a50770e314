/**
 * Finding the slot of a packed file by its name, whoever packed it (protocol §4.2, §4.3): the header in front of the content says all
 * that the name says, and what says anything else is another file, or none. Worker thread.
 */
import type { BinlogEntry } from "#filestore/binlog/entry.ts";
import { matchTrunkHeader, type TrunkSlotContent } from "#filestore/formats/trunk-header.ts";
import type { SlotRegion } from "#filestore/trunk/packed-files.ts";
import type { FileLayout, FilePlace } from "#filestore/worker/file-layout.ts";
import { type DecodedBase, decodeBase, trunkBaseLength } from "#model/file-id.ts";
import { trunkFilename, trunkHeaderSize } from "#model/trunk-location.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

/** What a name says of its slot. */
export interface TrunkSlotPlace extends SlotRegion {
  readonly base: string;
  readonly decoded: DecodedBase;
  readonly contentOffset: number;
  /** Of the content. */
  readonly sizeBytes: number;
}

export interface FoundSlot {
  readonly place: TrunkSlotPlace;
  readonly content: TrunkSlotContent;
  /** Bytes behind the header that were read with it, in the buffer that was given. */
  readonly read: number;
}

/** What the slots of names are looked for in. */
export interface SlotWorld {
  readonly files: Files;
  readonly layout: FileLayout;
  readonly packed: {
    readonly descriptors: { peek(path: string): FileDescriptor | undefined };
  };
}

/** Undefined for names of files that are not packed, and for those that contradict themselves. */
export function slotPlace(layout: FileLayout, place: FilePlace): TrunkSlotPlace | undefined {
  if (place.base.length !== trunkBaseLength) return undefined;
  const decoded = decodeBase(place.base);
  const slot = decoded?.trunk;
  if (decoded === undefined || slot === undefined) return undefined;
  const sizeBytes = decoded.size ?? 0;
  if (sizeBytes + trunkHeaderSize > slot.size) return undefined;
  return {
    path: `${layout.directoryOf(place)}/${trunkFilename(slot.fileId)}`,
    fileId: slot.fileId,
    offset: slot.offset,
    size: slot.size,
    base: place.base,
    decoded,
    contentOffset: slot.offset + trunkHeaderSize,
    sizeBytes,
  };
}

/** The slot that a record is about; undefined where it is about no packed file of this path. */
export function slotOfEntry(layout: FileLayout, entry: BinlogEntry): TrunkSlotPlace | undefined {
  const { kind } = entry;
  if (kind !== "create" && kind !== "delete" && kind !== "link") return undefined;
  const place = layout.find(entry.name);
  return place === undefined ? undefined : slotPlace(layout, place);
}

/**
 * Undefined where the slot is not there, or not the named file's. Fills `buffer`, which has room for a header at least, from the
 * slot's begin on. Throws `FileError` for other reasons.
 */
export function findSlot(
  world: SlotWorld,
  place: FilePlace,
  buffer: Uint8Array,
): FoundSlot | undefined {
  const slot = slotPlace(world.layout, place);
  return slot === undefined ? undefined : readSlot(world, slot, buffer);
}

/** As `findSlot`. */
export function readSlot(
  world: SlotWorld,
  place: TrunkSlotPlace,
  buffer: Uint8Array,
): FoundSlot | undefined {
  const descriptor = world.packed.descriptors.peek(place.path);
  if (descriptor === undefined) return undefined;
  const got = world.files.read(descriptor, buffer, place.offset);
  if (got < trunkHeaderSize) return undefined;
  const content = matchTrunkHeader(buffer, place.base, place.decoded);
  if (content === undefined) return undefined;
  return { place, content, read: got - trunkHeaderSize };
}
