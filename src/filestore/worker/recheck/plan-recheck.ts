/**
 * Whether files of a store path that is being opened may have been lost or cut off, and which of them are to be looked at again. A pure
 * function of what the last run noted and of where the binlog ends. Where everything is flushed, or the file system has been mounted since,
 * so that no power cut came between, only a binlog that lost its end asks for it.
 */
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import type { EngineState } from "#filestore/formats/engine-state.ts";
import type { RecheckNote, RecheckReason } from "#filestore/formats/recheck-note.ts";

export interface FoundAtOpening {
  /** What the last run noted; undefined at the first start. */
  readonly state: EngineState | "damaged" | undefined;
  /** Of the binlog. */
  readonly end: BinlogPosition;
  /** What an earlier start found, and was not done with; `damaged` where nobody can read it. */
  readonly note: RecheckNote | "damaged" | undefined;
  /** See `Files.mounting`. */
  readonly mounting: string | undefined;
  /** This run flushes. */
  readonly flushed: boolean;
  /** Unix seconds, where the last run noted none: of files that changed since, the content is read. */
  readonly fallbackSince: number;
}

/** No file is that young. */
const never = 2 ** 40;

/** Undefined where nothing is in doubt. */
export function planRecheck(found: FoundAtOpening): RecheckNote | undefined {
  const { state, end } = found;
  const before = found.note === "damaged" ? everything(found) : found.note;
  if (state === undefined) return before;
  const isKnown = state !== "damaged";
  const lostBinlog = isKnown && comparePositions(state.checkpoint, end) > 0;
  const settled = isKnown ? state.settled : undefined;
  const isClean = isKnown && state.clean;
  const wasRelaxed = settled !== undefined || (!found.flushed && !isClean);
  if (!wasRelaxed && !lostBinlog) return before;
  // However the last run ended: the kernel has all of what it wrote.
  const isKept = settled?.mounting !== undefined && settled.mounting === found.mounting;
  if (isKept && !lostBinlog) return before;
  const since = settled?.since ?? (wasRelaxed ? found.fallbackSince : never);
  const tail = firstOf(settled?.position ?? end, end);
  if (isClean && !lostBinlog) {
    // The records are all there: closing flushes them.
    if (comparePositions(tail, end) === 0) return before;
    return merged(before, { why: "power-cut", since, tail, walks: false });
  }
  return merged(before, {
    why: lostBinlog ? "binlog-lost" : "power-cut",
    since,
    tail,
    walks: true,
  });
}

interface Doubt {
  readonly why: RecheckReason;
  readonly since: number;
  readonly tail: BinlogPosition;
  readonly walks: boolean;
}

function merged(before: RecheckNote | undefined, doubt: Doubt): RecheckNote {
  const { why, since, tail, walks } = doubt;
  if (before === undefined) return { ...doubt, isTailDone: false, leavesDone: 0, lost: 0 };
  return {
    why: before.why === "binlog-lost" ? before.why : why,
    since: Math.min(since, before.since),
    tail: before.isTailDone ? tail : firstOf(tail, before.tail),
    isTailDone: false,
    walks: walks || before.walks,
    leavesDone: walks ? 0 : before.leavesDone,
    lost: before.lost,
  };
}

function everything({ end, fallbackSince: since }: FoundAtOpening): RecheckNote {
  const doubt = { why: "binlog-lost", since, tail: end, walks: true } as const;
  return merged(undefined, doubt);
}

function firstOf(one: BinlogPosition, other: BinlogPosition): BinlogPosition {
  return comparePositions(one, other) <= 0 ? one : other;
}
