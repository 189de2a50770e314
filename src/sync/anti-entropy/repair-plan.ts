/**
 * What is to be done about one name that two storages do not have alike. Pure: a function of what each of them has, and of what its
 * binlog knows. Seen from the other side the answer is the mirrored one, so it does not matter which of both finds the difference.
 *
 * - A file that is on one side only was deleted where either binlog says so: it goes there as well. Names of slaves and metadata can be
 *   given again; those that were made after the deletion stay, but for metadata of what was deleted. Otherwise one side lacks it, whatever
 *   its log forgot, and gets it.
 * - Names that say size and CRC-32 mean one content; other files are replaced by what was changed later.
 */
import type { InventoryEntry, SlotEntry } from "#filestore/inventory/inventory-entry.ts";
import type { SearchAnswer } from "#filestore/worker/binlog-search.ts";
import { ownerOfMetadata } from "#filestore/worker/file-layout.ts";
import {
  type DecodedBase,
  decodeBase,
  encodedLength,
  encodedSlotLength,
  normalBaseLength,
} from "#model/file-id.ts";
import { isGivenOnce } from "#sync/sync-record.ts";

/** One logical name. */
export interface NameDifference {
  readonly name: string;
  readonly here: InventoryEntry | undefined;
  readonly there: InventoryEntry | undefined;
  /** What the binlogs of both sides know of the name. */
  readonly knownHere: SearchAnswer;
  readonly knownThere: SearchAnswer;
  /** Of metadata: the same of the file that it belongs to. */
  readonly owner?: readonly [SearchAnswer, SearchAnswer];
}

/** Which side changes; `timestamp` in Unix seconds is that of the file, or of its deletion. */
export type RepairStep =
  | { readonly step: "copy"; readonly to: "here" | "there"; readonly timestamp: number }
  | { readonly step: "delete"; readonly at: "here" | "there"; readonly timestamp: number }
  /** As large on both sides, with different times: only their contents can tell whether `otherwise` is needed. */
  | { readonly step: "compare"; readonly otherwise: RepairStep }
  | { readonly step: "nothing" };

/** Files that are as large on both sides are copied without a look at their contents up to this size: that costs no more. */
export const maxCopiedUnseen = 1024 * 1024;

export function planRepair(difference: NameDifference): RepairStep {
  const { name, here, there, owner } = difference;
  if (here !== undefined && there !== undefined) return planBoth(here, there);
  const entry = here ?? there;
  if (entry === undefined) return { step: "nothing" };
  const { knownHere, knownThere } = difference;
  const deletedAt = lastDeletion([knownHere, knownThere, ...(owner ?? [])]);
  const holder = here === undefined ? "there" : "here";
  const timestamp = timeOf(name, entry);
  const isOrphan = owner !== undefined && lastDeletion(owner) !== undefined && isOfOne(name);
  if (isOrphan) {
    return { step: "delete", at: holder, timestamp: Math.max(timestamp, deletedAt ?? 0) };
  }
  const canBeMadeAnew = entry.kind === "stated" && !isAppenderFile(name);
  const isMadeAnew = canBeMadeAnew && deletedAt !== undefined && timestamp > deletedAt;
  if (deletedAt !== undefined && !isMadeAnew) {
    return { step: "delete", at: holder, timestamp: deletedAt };
  }
  return { step: "copy", to: holder === "here" ? "there" : "here", timestamp };
}

function planBoth(here: InventoryEntry, there: InventoryEntry): RepairStep {
  if (here.kind !== "stated" || there.kind !== "stated") return { step: "nothing" };
  const newer = laterOf(here, there);
  if (newer === undefined) return { step: "nothing" };
  const source = newer === "here" ? here : there;
  const to = newer === "here" ? "there" : "here";
  const copy = { step: "copy", to, timestamp: source.modifiedSeconds } as const;
  const sameSize = here.sizeBytes === there.sizeBytes;
  return sameSize && here.sizeBytes > maxCopiedUnseen ? { step: "compare", otherwise: copy } : copy;
}

interface Stated {
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
}

/** Of two at the same second the larger one: an append that is not everywhere. */
function laterOf(here: Stated, there: Stated): "here" | "there" | undefined {
  const later = here.modifiedSeconds - there.modifiedSeconds || here.sizeBytes - there.sizeBytes;
  if (later === 0) return undefined;
  return later > 0 ? "here" : "there";
}

function lastDeletion(known: readonly SearchAnswer[]): number | undefined {
  const times = known.map((each) => (each.kind === "deleted" ? each.timestamp : 0));
  const last = Math.max(...times);
  return last === 0 ? undefined : last;
}

/** Unix seconds, of the file. */
function timeOf(name: string, entry: InventoryEntry): number {
  if (entry.kind === "stated") return entry.modifiedSeconds;
  if (entry.kind === "slot") return entry.timestamp;
  return decodedOf(name)?.timestamp ?? 0;
}

/** True where the slot holds the file of this name. */
export function isNameOfSlot(name: string, slot: SlotEntry): boolean {
  const decoded = decodedOf(name);
  const trunk = decoded?.trunk;
  if (decoded === undefined || trunk === undefined) return false;
  return (
    trunk.fileId === slot.fileId &&
    trunk.offset === slot.offset &&
    trunk.size === slot.slotSize &&
    decoded.size === slot.sizeBytes &&
    decoded.crc32 === slot.crc32 &&
    decoded.timestamp === slot.timestamp &&
    baseOf(name).slice(encodedLength + encodedSlotLength) === slot.tail
  );
}

/** Of which no other one ever gets the name; its time may be that of a clock that is ahead of the one that its deletion was made by. */
function isAppenderFile(name: string): boolean {
  return baseOf(name).length === normalBaseLength && decodedOf(name)?.isAppender === true;
}

/** Of metadata: no other file ever gets the name of the one that it belongs to. */
function isOfOne(name: string): boolean {
  return isGivenOnce(ownerOfMetadata(name));
}

/** True where the name means one content for ever: a file that is there is the right one. */
export function isImmutable(name: string): boolean {
  const decoded = decodedOf(name);
  if (decoded === undefined || decoded.isAppender) return false;
  return decoded.isTrunk || baseOf(name).length === normalBaseLength;
}

function decodedOf(name: string): DecodedBase | undefined {
  return decodeBase(baseOf(name));
}

function baseOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
