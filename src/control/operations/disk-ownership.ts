/** Operations on disks that carry a passport: whose they are, and taking them over. Times in Unix seconds. */
import { choice, list, optional, record, text, wholeNumber } from "#base/schema.ts";
import { type OutputOf, operation } from "#control/operation.ts";

const word = text({ maxLength: 300 });
const sentence = text({ maxLength: 4000 });

const found = record({
  /** Where it was found: a device, or the directory where it is mounted. */
  name: word,
  /** 32 hexadecimal digits; left out where its passport cannot be read. */
  disk: optional(word),
  /** `own` is served; `foreign` waits for a yes; the others are not served, and `says` tells why. */
  kind: choice("own", "foreign", "clone", "replaced", "conflict", "unreadable"),
  /** What it is and what to do. */
  says: sentence,
});

/** What the passports of the disks say. */
export const findDisks = operation({
  name: "disks.found",
  says: "The disks that carry a passport: which are served, which wait for a yes, which are refused and why.",
  access: "viewer",
  effect: "read",
  input: record({}),
  output: record({
    disks: list(found, { max: 256 }),
    /** A former node that this one can be from now on; left out where there is none. */
    former: optional(record({ node: word, name: word, disks: wholeNumber() })),
  }),
});

/** A disk of another node is this one's from now on. */
export const adoptDisk = operation({
  name: "disks.adopt",
  says: "Makes a disk of another node one of this node's, with its store paths and all files in them; their ids stay as they are.",
  access: "owner",
  effect: "change",
  input: record({ disk: word }),
  output: record({ storePaths: list(wholeNumber({ max: 255 }), { max: 256 }) }),
});

/** A new card, the old disks. */
export const restoreNode = operation({
  name: "disks.restore",
  says: "Makes this new node the one whose disks it sees: identity, settings, marks and store paths come from the newest copy on them. The node starts anew.",
  access: "owner",
  effect: "change",
  input: record({
    /** Its id; left out: the only one that there can be. */
    node: optional(word),
  }),
  output: record({
    node: word,
    /** When the copy was written, by that node's clock. */
    writtenAt: wholeNumber(),
    disks: wholeNumber(),
  }),
});

export const diskOwnershipOperations = { findDisks, adoptDisk, restoreNode } as const;

export type FoundDisks = OutputOf<typeof findDisks>;
