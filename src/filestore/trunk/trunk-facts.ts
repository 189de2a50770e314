/**
 * What a store path's worker tells of its own trunk files: how many, how much room is in them, and how far a rebuild of that knowledge
 * is. Travels in a completion's text as numbers. Pure.
 */

/** A rebuild that is under way, or was the last one. */
export interface RebuildFacts {
  /** Unix milliseconds of its begin: tells one from another. */
  readonly id: number;
  /** `stopped`: by an error, which the log has, or the end of the worker. */
  readonly state: "running" | "done" | "stopped";
  /** Trunk files that are to be looked through. */
  readonly filesTotal: number;
  /** Looked through so far. */
  readonly files: number;
  /** Left out: in use all the time, or gone. */
  readonly skipped: number;
  /** Whole slots in those files. */
  readonly slots: number;
  /** What was known to be free in them, and what was found to be. */
  readonly freeBytesBefore: number;
  readonly freeBytes: number;
  /** Neither free nor a whole slot. */
  readonly damagedBytes: number;
  /** Whole slots that no record of the binlog names; undefined where the binlog does not begin with the path's first record. */
  readonly unnamed: number | undefined;
}

export interface TrunkFacts {
  readonly files: number;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Files whose free space is not known yet. */
  readonly unknownFiles: number;
  readonly rebuild: RebuildFacts | undefined;
}

const states = ["running", "done", "stopped"] as const;
const spaceFields = 4;
const rebuildFields = 10;

/** Empty where there is nothing to tell. */
export function trunkFactsText(facts: TrunkFacts): string {
  const { files, totalBytes, freeBytes, unknownFiles, rebuild } = facts;
  if (files === 0 && rebuild === undefined) return "";
  const numbers = [files, totalBytes, freeBytes, unknownFiles];
  if (rebuild === undefined) return numbers.join(" ");
  const { id, state, filesTotal, skipped, slots, freeBytesBefore, damagedBytes } = rebuild;
  const found = [slots, freeBytesBefore, rebuild.freeBytes, damagedBytes, rebuild.unnamed ?? -1];
  const run = [id, states.indexOf(state), filesTotal, rebuild.files, skipped];
  return [...numbers, ...run, ...found].join(" ");
}

/** Undefined for an empty text, and for any other one that says no such facts. */
export function trunkFactsFrom(text: string): TrunkFacts | undefined {
  const numbers = text.split(" ").map(Number);
  if (text === "" || !numbers.every((each) => Number.isSafeInteger(each))) return undefined;
  const [files = 0, totalBytes = 0, freeBytes = 0, unknownFiles = 0, ...rest] = numbers;
  const space = { files, totalBytes, freeBytes, unknownFiles };
  if (numbers.length === spaceFields) return { ...space, rebuild: undefined };
  if (rest.length !== rebuildFields) return undefined;
  const [id = 0, state = 0, filesTotal = 0, walked = 0, skipped = 0, ...found] = rest;
  const [slots = 0, freeBytesBefore = 0, freeNow = 0, damagedBytes = 0, unnamed = -1] = found;
  const rebuild: RebuildFacts = {
    id,
    state: states[state] ?? "stopped",
    filesTotal,
    files: walked,
    skipped,
    slots,
    freeBytesBefore,
    freeBytes: freeNow,
    damagedBytes,
    unnamed: unnamed < 0 ? undefined : unnamed,
  };
  return { ...space, rebuild };
}
