/**
 * What is to be sent of a record of the binlog (protocol §6.2), and what a record touches, so that no two that touch the same thing are
 * under way at once. Packed files are told apart by trunk file and slot: two names may follow each other in one place. Pure.
 */
import type { BinlogEntry } from "#filestore/binlog/entry.ts";
import { decodeBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";

/** Whether this storage fills the peer with what it has from others, and up to which time of theirs. */
export interface FillRule {
  readonly sendsOld: boolean;
  /** Unix seconds, inclusive. */
  readonly until: number;
}

export interface TouchedSlot {
  /** Which trunk file: store path, directories and number. */
  readonly file: string;
  /** Bytes from its start. */
  readonly from: number;
  readonly to: number;
}

export interface Touches {
  readonly names: readonly string[];
  readonly slots: readonly TouchedSlot[];
}

/** True for what the peer is to hear of; the state of the files is looked at later. */
export function isPushed(entry: BinlogEntry, rule: FillRule): boolean {
  // Written at a start after a crash: the file is not here, and nobody deleted it.
  if (entry.kind === "delete" && entry.timestamp === 0) return false;
  if (!entry.replica) return true;
  switch (entry.kind) {
    case "append":
    case "modify":
    case "truncate":
      // The file is sent as a whole, by the record of its creation.
      return false;
    default:
      return rule.sendsOld && entry.timestamp <= rule.until;
  }
}

export function touchesOf(entry: BinlogEntry): Touches {
  const names = [entry.name];
  if (entry.kind === "link" && entry.target !== undefined) names.push(entry.target);
  if (entry.kind === "rename") names.push(entry.oldName);
  return { names, slots: names.flatMap(slotOf) };
}

function slotOf(name: string): TouchedSlot[] {
  const place = parseRemoteFilename(name);
  const slot = place === undefined ? undefined : decodeBase(place.base)?.trunk;
  if (place === undefined || slot === undefined) return [];
  const { storePathIndex, high, low } = place;
  const file = `${storePathIndex}/${high}/${low}/${slot.fileId}`;
  return [{ file, from: slot.offset, to: slot.offset + Math.max(slot.size, 1) }];
}

/**
 * The name time of a file that `heldUntil` speaks of: one that its source made under a name of its own. Undefined for slaves and metadata,
 * which have their master's time, and for appenders, which change.
 */
export function heldNameTime(name: string): number | undefined {
  const place = parseRemoteFilename(name);
  const decoded = place === undefined ? undefined : decodeBase(place.base);
  if (decoded === undefined || decoded.isSlave || decoded.isAppender) return undefined;
  return decoded.timestamp;
}

/** No other file ever gets this name, so that once deleted it stays so: not those of slaves and metadata. */
export function isGivenOnce(name: string): boolean {
  const place = parseRemoteFilename(name);
  const decoded = place === undefined ? undefined : decodeBase(place.base);
  return decoded !== undefined && !decoded.isSlave;
}
