/**
 * Operations that make a disk one of this node's: shown first, then given with what was shown as its name. Sizes in bytes.
 */
import { choice, flag, list, optional, record, text, wholeNumber } from "#base/schema.ts";
import { type OutputOf, operation } from "#control/operation.ts";

const word = text({ maxLength: 300 });
const sentence = text({ maxLength: 4000 });
/** As the kernel names it: `sda`. */
const disk = text({ maxLength: 32 });
const diskId = text({ maxLength: 32 });

/** The first step. Nothing is written, and nothing of it is decided here. */
export const prepareDisk = operation({
  name: "disks.prepare",
  says: "Shows what is on a disk that is to be given to this node, and what stands against it. The answer names it in what comes next, for ten minutes.",
  access: "owner",
  effect: "read",
  input: record({ disk }),
  output: record({
    disk,
    /** Which plugging of it. */
    sequence: wholeNumber(),
    model: word,
    serial: word,
    sizeBytes: wholeNumber(),
    /** In words, each found by its mark. */
    content: list(sentence, { max: 128 }),
    /** Every byte of it was read since it was plugged in, and is zero. */
    blank: flag(),
    /** Left out where it is blank. */
    whyNotBlank: optional(sentence),
    readBytes: wholeNumber(),
    /** Why it cannot be given, whatever anybody says. */
    obstacles: list(sentence, { max: 16 }),
    /** Cairn was making it its own, and was interrupted. */
    unfinished: optional(record({ diskId: word, canContinue: flag() })),
    token: optional(word),
    /** Disks of this node that are not there, gone for longest first: the new one can take the place of one. */
    lost: list(
      record({
        disk: word,
        storePaths: list(wholeNumber({ max: 255 }), { max: 16 }),
        seenAt: wholeNumber(),
      }),
      { max: 64 },
    ),
  }),
});

/** For a disk that looks blank: only this can tell. */
export const readDisk = operation({
  name: "disks.read",
  says: "Reads a disk on, to prove that it is blank: some seconds' worth, from where it stopped before.",
  access: "owner",
  effect: "read",
  input: record({ disk, sequence: wholeNumber({ min: 1 }) }),
  output: record({
    done: flag(),
    blank: flag(),
    readBytes: wholeNumber(),
    sizeBytes: wholeNumber(),
    dataAtBytes: optional(wholeNumber()),
    /** What begins there the disk does not give, so that it can never be proven to be blank. */
    unreadableAtBytes: optional(wholeNumber()),
  }),
});

/** The second step. */
export const addDisk = operation({
  name: "disks.add",
  says: "Makes a disk one of this node's: everything on it is lost. One that is not provably blank must be named by model, serial and size as they were shown.",
  access: "owner",
  effect: "destroy",
  input: record({
    disk,
    sequence: wholeNumber({ min: 1 }),
    token: text({ maxLength: 32 }),
    typed: optional(record({ model: word, serial: word, sizeBytes: wholeNumber() })),
    fileSystem: optional(choice("ext4", "xfs", "btrfs")),
    /** Those of a lost disk, which are filled from other storages of the group; none where it is to be moved to. Left out: new ones. */
    storePaths: optional(list(wholeNumber({ max: 255 }), { max: 16 })),
  }),
  output: record({ diskId }),
});

/** After an interruption. */
export const resumeDisk = operation({
  name: "disks.resume",
  says: "Goes on with making a disk one of this node's where it was interrupted, or undoes it.",
  access: "owner",
  effect: "destroy",
  input: record({ disk, sequence: wholeNumber({ min: 1 }), diskId, undo: flag() }),
  output: record({ diskId }),
});

/** How far they are. */
export const listGivings = operation({
  name: "disks.givings",
  says: "The disks that are being made this node's, or were since its start: how far each is, and what went wrong.",
  access: "viewer",
  effect: "read",
  input: record({}),
  output: record({
    givings: list(
      record({
        diskId,
        disk,
        state: choice("running", "done", "failed", "undone", "interrupted"),
        /** In one word. */
        step: word,
        permille: wholeNumber({ max: 1000 }),
        problem: optional(sentence),
        directory: optional(text({ maxLength: 4096 })),
      }),
      { max: 64 },
    ),
  }),
});

/** Before it is pulled. */
export const ejectDisk = operation({
  name: "disks.eject",
  says: "Stops using a disk of this node, unmounts it, and tells the kernel to let go of it, so that it can be pulled.",
  access: "operator",
  effect: "change",
  input: record({ disk, sequence: wholeNumber({ min: 1 }) }),
  output: record({ detached: flag() }),
});

export const diskGivingOperations = {
  prepareDisk,
  readDisk,
  addDisk,
  resumeDisk,
  listGivings,
  ejectDisk,
} as const;

export type PreparedDisk = OutputOf<typeof prepareDisk>;
export type ShownGiving = OutputOf<typeof listGivings>["givings"][number];
