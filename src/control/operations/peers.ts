/** Operations on what this node has in common with the other storages of its group. Sizes in bytes, times in Unix seconds. */
import { choice, flag, optional, record, text, wholeNumber } from "#base/schema.ts";
import { operation } from "#control/operation.ts";

const word = text({ maxLength: 200 });
const sentence = text({ maxLength: 4000 });

/** Comparing all files with those of the peers, and repairing what differs. Counts are of the round under way, or else of the last one. */
export const comparison = record({
  state: choice("waiting", "running"),
  /** That came to their end since the start. */
  rounds: wholeNumber(),
  /** Left out where there was none yet. */
  storePath: optional(wholeNumber({ max: 255 })),
  peer: optional(word),
  /** Of looking through the own files. */
  progressPercent: wholeNumber({ max: 100 }),
  files: wholeNumber(),
  found: wholeNumber(),
  repaired: wholeNumber(),
  failed: wholeNumber(),
  /** Packed files that are on one side only, and whose names neither side knows. */
  nameless: wholeNumber(),
  /** 0 where there was none. */
  lastEnded: wholeNumber(),
  /** 0 where none is planned. */
  next: wholeNumber(),
  problem: optional(sentence),
});

/** Filling a store path that came back empty. */
export const recovery = record({
  storePath: wholeNumber({ max: 255 }),
  state: choice("waiting", "listing", "fetching", "done"),
  source: word,
  began: wholeNumber(),
  files: wholeNumber(),
  bytes: wholeNumber(),
  /** Left out while nobody knows. */
  filesTotal: optional(wholeNumber()),
  failed: wholeNumber(),
  bytesPerSecond: wholeNumber(),
  remainingSeconds: optional(wholeNumber()),
  problem: optional(sentence),
});

const begun = {
  /** False where one was under way already: another one follows it. */
  started: flag(),
  /** Rounds that will have ended when this one has. */
  round: wholeNumber(),
};

/** Begins a comparison. How far it is, is in the node's status. */
export const verifyPeers = operation({
  name: "peers.verify",
  says: "Compares all files with those of the other storages of the group, in the background, and repairs what differs.",
  access: "operator",
  effect: "change",
  input: record({}),
  output: record({
    ...begun,
    /** Of the second half of a mirror, of which the above is the first. */
    mirror: optional(record(begun)),
  }),
});

export const peerOperations = { verifyPeers } as const;
