/** Operations on packed small files and the trunk files that they lie in. How far they are is in the node's status. */
import { choice, list, optional, record, type ShapeValue, wholeNumber } from "#base/schema.ts";
import { operation } from "#control/operation.ts";

/** The halves of a mirror count their store paths from 0 each. */
const half = choice("first", "second");

const startedRebuild = record({
  /** Left out where the node is no mirror. */
  half: optional(half),
  storePath: wholeNumber({ max: 255 }),
  rebuild: wholeNumber(),
});

export type StartedRebuild = ShapeValue<typeof startedRebuild>;

/** Begins to find out anew what is free in trunk files. */
export const rebuildPacking = operation({
  name: "packing.rebuild",
  says: "Looks through the trunk files of this node for what is free in them, while it serves; begins it, or finds it under way.",
  access: "operator",
  effect: "change",
  input: record({
    /** Left out: all store paths that have trunk files. */
    storePath: optional(wholeNumber({ max: 255 })),
    /** Of a mirror; left out: both. */
    half: optional(half),
  }),
  output: record({
    /** `rebuild` is the id under which the status of the store path tells how far it is. */
    started: list(startedRebuild, { max: 512 }),
  }),
});

export const packingOperations = { rebuildPacking } as const;
