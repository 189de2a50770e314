/**
 * The conversation between the main thread and a store-path worker: which fields of a ring record mean what. Every request
 * is answered by exactly one completion of the same id, in any order; requests of one upload are executed in order.
 */

import type { LogRecord } from "#base/log.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { RecheckFacts } from "#filestore/recheck-facts.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import type { PathIdentity } from "#filestore/worker/path-identity.ts";

/** Requests. Field use is written as `field: meaning`. */
export const request = {
  /**
   * A piece of a payload. a: upload number; block: the piece; flags: `first`, `last` and, on the first, the target in bits 8 and up.
   * On the first also b: length of the whole; c: offset (modify); text: extension, master or target name; text2: `prefix\0extension` (slave),
   * or the slot as `slotFields` writes it (slot: a packed file whose place the trunk server gave; fails with `file-exists` where the slot is in use).
   * The completion of the last carries the final name in text; flags: `linked` or `held`. With `held` nothing is stored yet, and a `storeHeld`
   * or an `abort` must follow: text is the content's SHA-256 in hex, a: its size; b: its CRC-32; c: upload number.
   */
  write: 1,
  /** Gives an upload up. a: upload number. */
  abort: 2,
  /**
   * text: name; a: offset; b: length, 0 to the end; c: the size that the name says, 0 where it says none or the time is wanted; flags bit 0:
   * an offset at the end is fine; block: filled. Completion a: size; b: mtime, of no meaning where c was said; c: handle for the rest or 0.
   * With a socket, which needs c: header and content go there as far as it has room; the header, in front of the block's data, is as long as
   * flags say (`frontShift`) and right where the file is as large as c says. Completion b: bytes sent, header included; block: what follows these.
   */
  read: 3,
  /**
   * a: handle; b: offset; c: length; block: filled, or the begin of it where that is smaller; flags bit 0: the handle is closed once all was
   * read. With a socket: as `read`, without header. Completion b: bytes sent; c: 1 where the handle was closed.
   */
  readMore: 4,
  /** a: handle. */
  readEnd: 5,
  /** text: name; flags bit 0: compute the CRC. Completion a: size; b: mtime; c: CRC. */
  facts: 6,
  /** text: name. */
  remove: 7,
  /** text: name; a: new size. */
  truncate: 8,
  /** text: name. Completion text: the new name. */
  regenerate: 9,
  /** text: name; block: filled. */
  readMetadata: 10,
  /** text: name; block: the metadata text; flags bit 0: merge. */
  writeMetadata: 11,
  /** Completion a: total bytes; b: free bytes; c: which file system; text: of its trunk files, as `trunkFactsText` writes it. */
  space: 12,
  /** Finishes what is under way and ends the thread. */
  close: 13,
  /** Who file ids made from now on come from. text: `address` or `id`; text2: which. */
  setSource: 14,
  /**
   * A new file of content that this path holds. text: SHA-256 in hex; text2: extension; a: size; b: CRC-32. Completion text: the new
   * name, or empty where the content is not here.
   */
  linkContent: 30,
  /** Stores an upload whose last piece was answered with `held`. a: upload number. Completion as that of the last piece. */
  storeHeld: 31,
  /** Another name for a file. text: its name; text2: `extension\0prefix\0master`, the last two empty or not. Completion text: the new name. */
  link: 32,
  /** How new files are packed from now on: fields as `packingFields` makes them. Completion a: 1 where this path packs at all; b: leased numbers left. */
  setPacking: 20,
  /** Numbers for new trunk files. a: the first; b: how many. */
  trunkLease: 21,
  /** Of the group's trunk binlog, which the first store path keeps. block: whole lines. Completion a: its size in bytes. */
  trunkLogAppend: 22,
  /** text: `binlog`, `snapshot` or `….mark`; a: offset; block: filled. Completion a: size of the file, −1 where there is none. */
  trunkLogRead: 23,
  /** text: `….mark`; text2: its new content. */
  trunkLogMark: 24,
  /** The binlog begins anew, without snapshot. a: backups to keep; b: Unix seconds. */
  trunkLogReset: 25,
  /** Removes snapshot and marks. */
  trunkLogForget: 26,
  /** Rewrites the binlog with what is free, and removes snapshot and marks. a: backups to keep; b: Unix seconds. Completion a: its size. */
  trunkLogCompress: 27,
  /**
   * Gives free space of this node's own trunk files away, for the group's trunk server. block: filled with lines of a trunk binlog, a slot
   * each. Completion a: how many, 0 where none is left; length: of the lines.
   */
  trunkGive: 28,
  /** What the group's trunk server has still to be told, on the first store path. block: whole lines; flags bit 0: they replace the others. */
  trunkOwed: 33,
  /**
   * A piece of the snapshot of the trunk binlog. block: whole lines; flags: `first` and `last`; a: on the first, bytes of the binlog that it
   * holds for. Completion a: 1, or 0 where the binlog is another one: then the rest is not wanted.
   */
  trunkLogSnapshot: 34,
  /** Looks into slots. block: lines of a trunk binlog, a slot each, replaced by those in which a file stands. Completion length: of these. */
  slotsInUse: 35,
  /** Begins to find the free space of its own trunk files again, unless that is under way. Completion a: which rebuild it is (`RebuildFacts.id`). */
  trunkRebuild: 29,
  /**
   * Looks whether the path can be trusted again after it hung or a flush failed, and takes changes again if so. Completion a: bytes that were
   * read again. Fails with what is wrong; then changes stay refused.
   */
  check: 40,
  /** What was lost while files were in doubt is back, or nobody has it. Does nothing while they are still looked at. */
  recheckSettled: 41,
  /**
   * Whole lines of the binlog, of changes that are carried out. a, b: the place where they begin; block: filled. Completion a, b: the next
   * place; length; flags bit 0: there was nothing more. Fails with `binlog-gone`.
   */
  readBinlog: 50,
  /** Completion a, b: the place behind what `readBinlog` gives. */
  binlogEnd: 51,
  /** text: `….mark`; block: filled. Completion a: its size, −1 where there is none. */
  readMark: 52,
  /** text: `….mark`; block: its new content. */
  writeMark: 53,
  /** text: `….mark`. */
  removeMark: 54,
  /** A peer's change that has been here before: only the record. text: name; a: timestamp; flags bit 0: it replaced a file. */
  replicaRecord: 55,
  /** These five, as the last piece of a replica's write, complete with an outcome in text (`replicaOutcome`). text: name; a: timestamp. */
  replicaRemove: 56,
  /** text: name; a: timestamp; b: old size; c: new size. */
  replicaTruncate: 57,
  /** text: old name; text2: new name; a: timestamp. */
  replicaRename: 58,
  /** text: the link; text2: what it means; a: timestamp. */
  replicaLink: 59,
  /**
   * New files of a batch. block: records of `protocol/peer/sync-record.ts`; a: how many. Completion text: a digit for each record, its place in
   * `batchOutcomes`; a: the latest time and b: the bytes of those with an outcome. Fails with `file-invalid` where the records are none.
   */
  replicaBatch: 60,
  /**
   * Reads new files for a batch. block: lines of the binlog that tell their creation, replaced by records of `protocol/peer/sync-record.ts`.
   * Completion text: a digit for each line, 1 where its record is in the block; length of the records.
   */
  readBatch: 61,
  /**
   * A piece of a file beside the store paths of the disk (`worker/disk-file-writer.ts`). text: its name; a: where the piece begins; block: the
   * piece; flags: `first` and `last`, which puts it in its place.
   */
  diskFile: 95,
  /**
   * Begins an inventory. block: filled with horizons (`inventory/horizons.ts`); a: percent of the thread's time. Completion a: its number, or 0
   * while another one is under way.
   */
  inventoryBegin: 70,
  /**
   * a: number of an inventory; b: first leaf; block: filled with leaves, or −1. Completion a: leaves done of 65,536; b: files so far; length.
   * With a 0, what is there now: b: an upper directory, or 256 for all of these; block: filled with 256 numbers of names (u32).
   */
  inventoryRead: 71,
  /** a: number of an inventory that is not needed any more. */
  inventoryEnd: 72,
  /**
   * The entries of a directory. a: which; text: the key behind which to begin; block: filled with horizons, then with lines. Completion length;
   * flags bit 0: there are more.
   */
  inventoryLeaf: 73,
  /** block: filled with names and slot keys, a line each, then with what the binlog knows of them (`worker/binlog-search.ts`). Completion length. */
  binlogSearch: 74,
  /** What was made, and is there, from a place in the binlog on. a, b: the place; block: filled with lines. Completion a, b: the next one; length; flags bit 0: there is more. */
  pathNames: 75,
  /** block: filled with a `ScrubReport` as JSON. Completion length. */
  scrubReport: 80,
  /** text: one of `scrubOrders`; a: bytes a second, 0 for no limit; b: percent of the time while others wait. Completion a: 1 where it changed anything. */
  scrubOrder: 81,
  /** Looks once more at a damaged file, and sets it aside where it is. text: its place, or a logical name. Completion text: one of `judgements`. */
  scrubJudge: 82,
  /** What became of a damaged file. text: its place; text2: one of `settlements`. */
  scrubSettle: 83,
  /** What is known of a file here. text: name; flags bit 0: read it from the disk. block: filled with a `FileRecord` as JSON. Completion length. */
  fileRecord: 84,
} as const;

/** Clients or peers wait for it: background work goes slow. */
export function isForeground(kind: number): boolean {
  return (
    (kind <= request.regenerate && kind > 0) ||
    kind === request.readMetadata ||
    kind === request.writeMetadata ||
    (kind >= request.linkContent && kind <= request.link) ||
    (kind >= request.replicaRecord && kind <= request.readBatch)
  );
}

export function isScrubRequest(kind: number): boolean {
  return kind >= request.scrubReport && kind <= request.fileRecord;
}

/** Requests which answer from what is on the disk, and change nothing there. */
export function isReading(kind: number): boolean {
  return (
    kind === request.read ||
    kind === request.readMore ||
    kind === request.facts ||
    kind === request.readMetadata ||
    kind === request.readBatch ||
    kind === request.scrubReport ||
    kind === request.fileRecord ||
    (kind >= request.readBinlog && kind <= request.readMark)
  );
}

/** Requests which set free what a worker holds: it is sent them whatever its disk does, and nobody waits for it then. */
export function isOwed(kind: number): boolean {
  return kind === request.abort || kind === request.readEnd;
}

/** Requests which tell a worker something that counts once: they wait as long as its disk takes, and are never given up. */
export function isTold(kind: number): boolean {
  return kind === request.setSource || kind === request.setPacking || kind === request.trunkLease;
}

/** What a worker does not begin once the main thread has given the request up. */
export function maySkip(kind: number): boolean {
  return (
    isReading(kind) ||
    kind === request.write ||
    kind === request.remove ||
    kind === request.truncate ||
    kind === request.regenerate ||
    kind === request.writeMetadata ||
    kind === request.storeHeld ||
    kind === request.linkContent ||
    kind === request.link ||
    isReplicaRequest(kind)
  );
}

/** Requests of replication, see `worker/replica-requests.ts`. */
export function isReplicaRequest(kind: number): boolean {
  return kind >= request.readBinlog && kind <= request.replicaBatch;
}

/** True where the answer may mean that a change was added to the binlog which was made here first. */
export function recordsOwnChange({
  kind,
  flags,
}: {
  readonly kind: number;
  readonly flags: number;
}): boolean {
  if (kind === request.write) {
    return (flags & writeFlag.last) !== 0 && flags >> targetShift < writeTarget.replica;
  }
  return (
    (kind >= request.remove && kind <= request.regenerate) ||
    kind === request.writeMetadata ||
    (kind >= request.linkContent && kind <= request.link)
  );
}

/** True for the last piece of a payload that becomes a file of its own, whose name is the answer; a replica has its name already. */
export function makesFile({
  kind,
  flags,
}: {
  readonly kind: number;
  readonly flags: number;
}): boolean {
  if (kind === request.write) {
    return (flags & writeFlag.last) !== 0 && flags >> targetShift < writeTarget.replica;
  }
  return kind === request.storeHeld || kind === request.linkContent || kind === request.link;
}

/**
 * On the first piece: `estimate`, where the length of the whole is not certain; such a file is packed only where it is one piece.
 * `hold`, where other store paths may hold the content: what is not on this one is held until they have been asked.
 */
export const writeFlag = { first: 1, last: 2, estimate: 4, hold: 8 } as const;
export const flagComputeCrc = 1;
export const flagEmptyIsFine = 1;
export const flagMerge = 1;
export const flagReplace = 1;
/** Of a `readMore`: what is asked for is all that is wanted of the handle. */
export const flagLast = 1;
/** Of a `read` that comes with a socket: the length of the header, in the bits of its flags from here up. */
export const frontShift = 8;

/** Targets of a write, in the bits of its flags from `targetShift` up. */
export const writeTarget = {
  normal: 0,
  appender: 1,
  slave: 2,
  append: 3,
  modify: 4,
  slot: 5,
  /**
   * From here on a peer's change. text: name; text2: `replicaFields`; c: offset of a range. Completion of the last piece: an outcome in
   * text. Nothing of a whole file is kept before its content was seen to be the right one.
   */
  replica: 6,
  replicaReplace: 7,
  replicaAppend: 8,
  replicaModify: 9,
} as const;
export const targetShift = 8;
export type WriteTargetNumber = (typeof writeTarget)[keyof typeof writeTarget];

/** What became of a peer's change; `done` is the empty text. */
export const replicaOutcome = {
  already: "already",
  missing: "missing",
  differs: "differs",
  later: "later",
} as const;
/** Of a record of a batch; the first one where nothing was done. */
export const batchOutcomes = [undefined, "done", "already", "later"] as const;
export const flagReplaces = 1;
export const flagVersioned = 2;
export const flagAtEnd = 1;

/**
 * Of a peer's change with a body, in text2: its time, whether it is versioned or, being that, the next piece of one, and the CRC-32 of the
 * body where it is known.
 */
export function replicaFields(
  timestamp: number,
  crc32: number | undefined,
  versioned: boolean | "goes on" = false,
): string {
  const version = versioned === "goes on" ? 2 : Number(versioned);
  return [timestamp, version, ...(crc32 === undefined ? [] : [crc32])].join(" ");
}

export const inventoryFlag = { more: 1 } as const;

/** Kinds of completion. */
export const completion = { done: 0, failed: 1 } as const;
/** Of a stored upload: the content was here, and got a further name. Of a last piece: it is held. */
export const completionFlag = { linked: 1, held: 2 } as const;

/** A failure crosses as text `code` and text2 `errno\0message`. */
export interface WireFailure {
  readonly code: FileStoreErrorCode;
  readonly message: string;
  readonly errno: string;
}

/** What the thread is started with. */
export interface StorePathThreadData {
  readonly settings: StorePathSettings;
  readonly requests: SharedArrayBuffer;
  readonly completions: SharedArrayBuffer;
  readonly blocks: SharedArrayBuffer;
  /** See `worker/path-condition.ts`. */
  readonly pulse: SharedArrayBuffer;
  /** Of the times in names, shared by all paths of the node; see `name-clock.ts`. */
  readonly names?: SharedArrayBuffer;
}

/** What the thread posts beside the rings. */
export type StorePathPost =
  | { readonly post: "log"; readonly record: LogRecord }
  | {
      readonly post: "opened";
      readonly rolledForward: number;
      readonly swept: number;
      readonly adopted: boolean;
      /** Why the path can only be read. */
      readonly readOnly?: string;
      readonly identity?: PathIdentity;
    }
  | { readonly post: "unfit"; readonly code: string; readonly message: string }
  /** A flush failed, and changes are refused from now on until `check` was done. */
  | { readonly post: "flush-failed"; readonly message: string }
  /** How far looking at files again is; nothing where none is in doubt any more. Before the first one none is in doubt. */
  | { readonly post: "recheck"; readonly facts?: RecheckFacts }
  /** Packing in leased mode, with few numbers for new trunk files left: answered by a `trunkLease` sooner or later. */
  | { readonly post: "trunk-lease-wanted"; readonly count: number };
