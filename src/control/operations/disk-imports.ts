/** Operations that take the files of a foreign disk into the own group. Sizes in bytes. */
import { choice, list, optional, record, text, wholeNumber } from "#base/schema.ts";
import { type OutputOf, operation } from "#control/operation.ts";

const word = text({ maxLength: 300 });
const sentence = text({ maxLength: 4000 });
const path = text({ maxLength: 4096 });

const shownImport = record({
  id: word,
  /** A disk's id, or a directory. */
  from: path,
  /** `waiting`: the disk is not there, or the node has just started. `failed` goes on when it is asked for again. */
  state: choice("running", "waiting", "done", "failed"),
  problem: optional(sentence),
  files: wholeNumber(),
  bytes: wholeNumber(),
  /** Not to be had. */
  left: wholeNumber(),
  /** The first of them, with why; the list has all. */
  leftNames: list(sentence, { max: 64 }),
  /** "old id new id", a line each, of each store path. */
  lists: list(path, { max: 256 }),
});

/** Also goes on with one that was interrupted. */
export const importDisk = operation({
  name: "disks.import",
  says: "Stores the files of a foreign disk, or of a directory where an old one is mounted, in this node's group, and lists which id each has now. The disk is only read.",
  access: "owner",
  effect: "change",
  input: record({
    /** The id of a disk that waits for a yes; or else a directory. */
    disk: optional(word),
    /** A store path that no node serves, or its directory `data`. */
    directory: optional(path),
    /** Of a directory: the group that its files had, and the number of its store path. */
    group: optional(word),
    storePath: optional(wholeNumber({ max: 255 })),
  }),
  output: record({ id: word }),
});

export const listImports = operation({
  name: "disks.imports",
  says: "How far the imports of foreign disks are.",
  access: "viewer",
  effect: "read",
  input: record({}),
  output: record({ imports: list(shownImport, { max: 64 }) }),
});

export const diskImportOperations = { importDisk, listImports } as const;

export type ShownImport = OutputOf<typeof listImports>["imports"][number];
