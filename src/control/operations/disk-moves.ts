/**
 * Operations that take store paths from one disk of the node to another, and ask disks to take no new files. What is planned is shown first;
 * the yes names the plan. Sizes in bytes, times in Unix seconds.
 */
import { choice, flag, list, optional, record, text, wholeNumber } from "#base/schema.ts";
import { type OutputOf, operation } from "#control/operation.ts";

const word = text({ maxLength: 300 });
const sentence = text({ maxLength: 4000 });
/** A disk of this node: its id, or the begin of it, or as `disks.list` names it. */
const disk = word;
const storePath = wholeNumber({ max: 255 });

const plannedMove = record({
  storePath,
  /** Ids of disks. */
  from: word,
  to: word,
  /** For people. */
  fromName: word,
  toName: word,
  bytes: wholeNumber(),
});
const plannedMoves = list(plannedMove, { max: 256 });
const agreedMoves = list(record({ storePath, to: word }), { max: 256 });

/** The first step of `disks.retire`. */
export const planRetire = operation({
  name: "disks.retirePlan",
  says: "Shows where the store paths of a disk would go if it were retired, and why it cannot be.",
  access: "viewer",
  effect: "read",
  input: record({
    disk,
    /** The only one that its store paths may go to. */
    to: optional(disk),
  }),
  output: record({ disk: word, name: word, moves: plannedMoves }),
});

/** The second step. */
export const retireDisk = operation({
  name: "disks.retire",
  says: "Takes a disk out of the node: nothing new is stored on it, and its store paths go to other disks, as they were shown. It may be unplugged then.",
  access: "owner",
  effect: "change",
  input: record({ disk, to: optional(disk), moves: agreedMoves }),
  output: record({ disk: word }),
});

export const drainDisk = operation({
  name: "disks.drain",
  says: "Has a disk take no new files, while everything else of it is served; or take them again.",
  access: "operator",
  effect: "change",
  input: record({ disk, drain: flag() }),
  output: record({ disk: word, name: word }),
});

/** The first step of `disks.rebalance`. */
export const planRebalance = operation({
  name: "disks.rebalancePlan",
  says: "Shows which store paths would go from disks that carry several to emptier ones.",
  access: "viewer",
  effect: "read",
  input: record({}),
  output: record({ moves: plannedMoves }),
});

export const rebalanceDisks = operation({
  name: "disks.rebalance",
  says: "Takes store paths from disks that carry several to emptier ones, as they were shown. No file id changes.",
  access: "owner",
  effect: "change",
  input: record({ moves: agreedMoves }),
  output: record({}),
});

export const listMoves = operation({
  name: "disks.moves",
  says: "Store paths that are on their way from one disk to another, or were last: how far each is, and why it does not go on.",
  access: "viewer",
  effect: "read",
  input: record({}),
  output: record({
    moves: list(
      record({
        storePath,
        from: word,
        to: word,
        purpose: choice("retire", "rebalance"),
        phase: choice(
          ...(["waiting", "copying", "switching", "committing", "cleaning"] as const),
          ...(["done", "cancelled"] as const),
        ),
        problem: optional(sentence),
        /** Files without a good copy. */
        unreadable: list(text({ maxLength: 400 }), { max: 1000 }),
        /** Of the present pass over the files; left out where none runs. */
        files: optional(wholeNumber()),
        bytes: optional(wholeNumber()),
        copiedFiles: optional(wholeNumber()),
        copiedBytes: optional(wholeNumber()),
        passes: optional(wholeNumber()),
        begunAt: wholeNumber(),
        endedAt: optional(wholeNumber()),
      }),
      { max: 256 },
    ),
  }),
});

export const changeMove = operation({
  name: "disks.move",
  says: "Calls a move of a store path off, as long as the other disk has not got it; or has it leave behind what its disk does not give and no peer has.",
  access: "owner",
  effect: "change",
  input: record({ storePath, action: choice("cancel", "leave-unreadable") }),
  output: record({}),
});

export const diskMoveOperations = {
  planRetire,
  retireDisk,
  drainDisk,
  planRebalance,
  rebalanceDisks,
  listMoves,
  changeMove,
} as const;

export type RetirePlan = OutputOf<typeof planRetire>;
export type ToldMove = OutputOf<typeof listMoves>["moves"][number];
export type ToldPlan = OutputOf<typeof planRebalance>["moves"];
