/**
 * The conversation between the main thread and a store-path worker: which fields of a ring record mean what. Every request
 * is answered by exactly one completion of the same id, in any order; requests of one upload are executed in order.
 */

import type { LogRecord } from "#base/log.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { StorePathSettings } from "#filestore/settings.ts";

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
   */
  read: 3,
  /** a: handle; b: offset; c: length; block: filled. */
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
  /** Completion a: total bytes; b: free bytes; c: which file system. */
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
  /**
   * Looks whether the path can be trusted again after it hung or a flush failed, and takes changes again if so. Completion a: bytes that were
   * read again. Fails with what is wrong; then changes stay refused.
   */
  check: 40,
} as const;

/** Requests which answer from what is on the disk, and change nothing there. */
export function isReading(kind: number): boolean {
  return (
    kind === request.read ||
    kind === request.readMore ||
    kind === request.facts ||
    kind === request.readMetadata
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
    kind === request.link
  );
}

/** True for the last piece of a payload that becomes a file of its own, whose name is the answer. */
export function makesFile({
  kind,
  flags,
}: {
  readonly kind: number;
  readonly flags: number;
}): boolean {
  if (kind === request.write) return (flags & writeFlag.last) !== 0;
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

/** Targets of a write, in the bits of its flags from `targetShift` up. */
export const writeTarget = {
  normal: 0,
  appender: 1,
  slave: 2,
  append: 3,
  modify: 4,
  slot: 5,
} as const;
export const targetShift = 8;
export type WriteTargetNumber = (typeof writeTarget)[keyof typeof writeTarget];

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
    }
  | { readonly post: "unfit"; readonly code: string; readonly message: string }
  /** A flush failed, and changes are refused from now on until `check` was done. */
  | { readonly post: "flush-failed"; readonly message: string }
  /** Packing in leased mode, with few numbers for new trunk files left: answered by a `trunkLease` sooner or later. */
  | { readonly post: "trunk-lease-wanted"; readonly count: number };
