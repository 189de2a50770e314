/** Operations on the files themselves: scrubs, which read all of them, and receipts, which tell where one of them is. Sizes in bytes, times in Unix seconds. */
import {
  choice,
  flag,
  list,
  optional,
  record,
  type ShapeValue,
  text,
  wholeNumber,
} from "#base/schema.ts";
import { operation } from "#control/operation.ts";

const word = text({ maxLength: 200 });
const name = text({ maxLength: 4096 });
const sentence = text({ maxLength: 4000 });
/** The halves of a mirror count their store paths from 0 each. */
const half = choice("first", "second");
const storePathNumber = wholeNumber({ max: 255 });

/** Damaged files that are listed for one store path. */
export const maxListedDamage = 1000;

const damagedFile = record({
  /** Logical name without `Mxx/`, or a part of a trunk file, `…@offset`. */
  place: name,
  damage: choice(
    ...(["size", "content", "changed-silently", "unreadable"] as const),
    ...(["slot-content", "slot-header"] as const),
  ),
  state: choice("found", "aside", "lost", "kept"),
  since: wholeNumber(),
  sizeBytes: wholeNumber(),
});

const pathScrub = record({
  half: optional(half),
  storePath: storePathNumber,
  directory: name,
  /** `waiting`: something of the machine is in its way; it tries again by itself. */
  state: choice("idle", "running", "paused", "waiting"),
  progressPercent: wholeNumber({ max: 100 }),
  /** Left out while nobody knows. */
  remainingSeconds: optional(wholeNumber()),
  begunAt: wholeNumber(),
  /** Of the last run that came to its end; 0 where there was none. */
  endedAt: wholeNumber(),
  /** 0 where none is planned. */
  nextAt: wholeNumber(),
  /** Of the run under way, or the last one. */
  files: wholeNumber(),
  bytes: wholeNumber(),
  good: wholeNumber(),
  /** Read well, and nothing told before what they should be. */
  unknown: wholeNumber(),
  damaged: wholeNumber(),
  unreadable: wholeNumber(),
  /** Wrong when read first, right when read again. */
  unsteady: wholeNumber(),
  /** Not healed yet, of this run and of earlier ones. */
  open: list(damagedFile, { max: maxListedDamage }),
  openTotal: wholeNumber(),
  /** Since the start. */
  healed: wholeNumber(),
  problem: optional(sentence),
});

export type PathScrubReport = ShapeValue<typeof pathScrub>;

const which = {
  /** Left out: all that are served. */
  storePath: optional(storePathNumber),
  /** Of a mirror; left out: both. */
  half: optional(half),
};

/** Begins, holds, resumes and ends scrubs. */
export const orderScrub = operation({
  name: "scrub.order",
  says: "Reads all files from the disks to find what has rotted, in the background; or holds, resumes or ends that.",
  access: "operator",
  effect: "change",
  input: record({ order: choice("start", "pause", "resume", "stop"), ...which }),
  output: record({
    /** Store paths for which it changed anything. */
    changed: wholeNumber(),
  }),
});

/** How far scrubs are, and what they found. */
export const reportScrub = operation({
  name: "scrub.report",
  says: "How far reading all files is on each store path, when that was done last, and what was found to be damaged.",
  access: "viewer",
  effect: "read",
  input: record({}),
  output: record({ paths: list(pathScrub, { max: 512 }) }),
});

const copy = record({
  storage: word,
  /** This node itself. */
  own: flag(),
  half: optional(half),
  software: choice("cairn", "original", "unknown"),
  /** `damaged`: it was found to be, and is not healed yet. `silent`: it did not answer. */
  state: choice("holds", "damaged", "missing", "silent"),
  storePath: optional(storePathNumber),
  /** Where the store path lies there, and the ids of path and disk; left out where they are not known. */
  directory: optional(name),
  pathId: optional(word),
  diskId: optional(word),
  sizeBytes: optional(wholeNumber()),
  /** Eight hexadecimal digits. */
  crc32: optional(text({ maxLength: 8 })),
  /** What the CRC-32 was taken from: the name, the record of the last scrub, or the disk, now. */
  crcFrom: optional(choice("name", "record", "read")),
  /**
   * By then all of it was on stable storage there: the time at which the disk noted its last change, which is flushed before anybody sees it;
   * of a packed file that came from another storage, that of its trunk file, which may be later. Left out where that is not known.
   */
  flushedAt: optional(wholeNumber()),
  /** When it was last read and found well; left out where it was not since it last changed. */
  verifiedAt: optional(wholeNumber()),
  problem: optional(sentence),
});

export type ReceiptCopy = ShapeValue<typeof copy>;

/** Which disks hold a file. */
export const receipt = operation({
  name: "files.receipt",
  says: "Which disks of which nodes hold a file, since when it is flushed there, and when it was last read and found well.",
  access: "viewer",
  effect: "read",
  input: record({
    /** `group1/M00/…` */
    id: text({ maxLength: 200 }),
    /** Every copy is read from its disk now. */
    read: optional(flag()),
  }),
  output: record({
    id: text({ maxLength: 200 }),
    /** All of it in a sentence. */
    says: sentence,
    copies: list(copy, { max: 128 }),
  }),
});

export type Receipt = {
  readonly id: string;
  readonly says: string;
  readonly copies: readonly ReceiptCopy[];
};

export const fileOperations = { orderScrub, reportScrub, receipt } as const;
