/**
 * Commits changes together, so that they share one write to the binlog and, where they are flushed, its flush and those of
 * directories. The records are the commit: before they stand nothing is visible, afterwards the change is carried out here or by the
 * next start, which takes back what it cannot carry out: a new file that was not staged (`create-change.ts`), or a packed one that
 * is not whole. Each step ends before the next begins, hence what a record says is on stable storage before the record is, or, where
 * a start can tell that it is not, with it; flushes are handed out (`FlushSteps`), and those of one step may happen in any order. Where one of them fails, no change of the batch is acknowledged that depended on that
 * step. On a full disk removals and truncations go on with what it keeps for them, without the others of their batch. Worker thread.
 */

import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { maxBytesWithRecords, maxFilesWithRecords } from "#filestore/trunk/limits.ts";
import { amendBinlog } from "#filestore/worker/amend-binlog.ts";
import type { BatchStager, StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { diskFailure, isFull } from "#filestore/worker/disk-failure.ts";
import { type FlushSteps, flushAll } from "#filestore/worker/flush-steps.ts";
import { flushRecords } from "#filestore/worker/journal/flush-records.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { FileError } from "#platform/files.ts";

type Changes = readonly StagedChange[];

const nothing: ReadonlySet<StagedChange> = new Set();

/** Every change ends with its `result` or its `error`; throws for our own mistakes only. */
export function* commitBatch(store: StorePath, changes: Changes): FlushSteps<void> {
  const staged = bindAll(store, stageTogether(admitted(store, changes)));
  const together = store.flushed ? flushedWithRecords(staged) : nothing;
  const recorded = yield* record(store, yield* flushContent(store, staged, together), together);
  const amends: string[] = [];
  const applied = recorded.filter((change) =>
    attempt(
      change,
      () => applyInRoom(store, change),
      () => amends.push(change.amends()),
    ),
  );
  const durable = store.flushed ? yield* flushApplied(store, applied, amends) : applied;
  for (const change of recorded) change.cleanUp();
  yield* amendBinlog(store, amends.join(""));
  for (const change of durable) change.succeed();
}

/** While the disk has less than it keeps for deletions, nothing else is done. */
function admitted(store: StorePath, changes: Changes): Changes {
  const { isWhole } = store.reserve;
  if (isWhole || !changes.some(({ needsRoom }) => needsRoom) || store.reserve.restore()) {
    return changes;
  }
  const problem = "ENOSPC: the disk is full but for what deletions need";
  return keepFreeing(changes, new FileError("ENOSPC", problem));
}

/** Those that give room back; the others end with `error`. */
function keepFreeing(changes: Changes, error: unknown): Changes {
  drop(
    changes.filter(({ needsRoom }) => needsRoom),
    error,
  );
  return changes.filter(({ needsRoom }) => !needsRoom);
}

/** Which of them try again after `error`, where that is a full disk: with what the others leave, or else with some of the reserve. */
function againInRoom(store: StorePath, changes: Changes, error: unknown): Changes {
  if (!isFull(error)) return drop(changes, error);
  const freeing = keepFreeing(changes, error);
  if (freeing.length < changes.length) return freeing;
  const bytes = freeing.reduce((sum, { lines }) => sum + lines.length, 0);
  return store.reserve.release(bytes) ? freeing : drop(freeing, error);
}

/** Throws as `apply` does. */
function applyInRoom(store: StorePath, change: StagedChange): void {
  for (;;) {
    try {
      change.apply();
      return;
    } catch (error) {
      if (change.needsRoom || !isFull(error) || !store.reserve.release()) throw error;
    }
  }
}

function stageTogether(changes: Changes): Changes {
  const byStager = new Map<BatchStager, StagedChange[]>();
  for (const change of changes) {
    const { stager } = change;
    if (stager === undefined) continue;
    const others = byStager.get(stager);
    if (others === undefined) byStager.set(stager, [change]);
    else others.push(change);
  }
  let live = changes;
  for (const [stager, group] of byStager) {
    const failures = stager.stageTogether(group);
    if (failures.size === 0) continue;
    for (const [change, error] of failures) drop([change], error);
    live = live.filter((change) => !failures.has(change));
  }
  return live;
}

/** Tells every change where its record will stand. */
function bindAll(store: StorePath, changes: Changes): Changes {
  const rotated = rotate(store, changes);
  const start = store.binlog.position;
  for (let live = rotated; ; ) {
    let { offset } = start;
    const bound = live.filter((change) => {
      const position = { ...start, offset };
      change.position = position;
      const isBound = attempt(
        change,
        () => change.bind(position),
        () => change.discard(),
      );
      if (isBound) offset += change.lines.length;
      return isBound;
    });
    // Where one dropped out before others, those are bound to the wrong place.
    if (bound.length === live.length) return bound;
    live = bound;
  }
}

function rotate(store: StorePath, changes: Changes): Changes {
  for (let live = changes; ; ) {
    try {
      if (live.length > 0) store.binlog.rotateWhenFull(store.onFlushFailed);
      return live;
    } catch (error) {
      live = againInRoom(store, live, error);
    }
  }
}

/**
 * Those whose content needs no flush of its own before their records: a start looks at it, as far back as one batch can reach, for one
 * commit is under way at a time.
 */
function flushedWithRecords(changes: Changes): ReadonlySet<StagedChange> {
  const checked = new Set<StagedChange>();
  let bytes = 0;
  for (const change of changes) {
    const { bytesCheckedAtStart } = change;
    if (bytesCheckedAtStart === undefined) continue;
    checked.add(change);
    bytes += bytesCheckedAtStart;
  }
  return checked.size <= maxFilesWithRecords && bytes <= maxBytesWithRecords ? checked : nothing;
}

/** But for those which are flushed `together` with their records. */
function* flushContent(
  store: StorePath,
  changes: Changes,
  together: ReadonlySet<StagedChange>,
): FlushSteps<Changes> {
  if (!store.flushed) return changes;
  const targets = changes.flatMap((change) =>
    together.has(change) ? [] : change.contentTargets(),
  );
  const error = yield* flushAll(store, targets);
  return error === undefined ? changes : drop(changes, error);
}

function* record(
  store: StorePath,
  changes: Changes,
  together: ReadonlySet<StagedChange>,
): FlushSteps<Changes> {
  const { live, start, lines } = append(store, changes);
  if (start === undefined || !store.flushed) return live;
  const error = yield* flushRecords(store, {
    ...{ position: start, lines },
    together: live.filter((change) => together.has(change)),
  });
  if (error === undefined) return live;
  store.binlog.takeBack(start);
  return drop(live, error);
}

/** Those whose records stand, and where they begin; undefined where there are none. */
function append(
  store: StorePath,
  changes: Changes,
): {
  readonly live: Changes;
  readonly start: BinlogPosition | undefined;
  readonly lines: string;
} {
  for (let live = changes; ; ) {
    let lines = "";
    for (const change of live) lines += change.lines;
    const start = lines === "" ? undefined : store.binlog.position;
    try {
      if (lines !== "") store.binlog.append(lines);
      return { live, start, lines };
    } catch (error) {
      live = bindAll(store, againInRoom(store, live, error));
    }
  }
}

/** Nobody was told of these changes: what can be undone is, and `amends` gets the lines that say so. */
function* flushApplied(store: StorePath, changes: Changes, amends: string[]): FlushSteps<Changes> {
  const directories = store.tree.takeUnflushed();
  const targets = changes.flatMap((change) => change.appliedTargets());
  const error = yield* flushAll(store, [...directories, ...targets]);
  if (error === undefined) return changes;
  store.tree.leaveUnflushed(directories);
  return changes.filter((change) => {
    if (change.appliedTargets().length === 0) return true;
    change.error = diskFailure(error, change.doing);
    amends.push(change.giveUp());
    return false;
  });
}

/** True where `step` did it; else the change has its error, and `otherwise` was called. */
function attempt(change: StagedChange, step: () => void, otherwise: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    change.error = diskFailure(error, change.doing);
    otherwise();
    return false;
  }
}

/** None of them has a record. */
function drop(changes: Changes, error: unknown): Changes {
  for (const change of changes) {
    change.error = diskFailure(error, change.doing);
    change.discard();
  }
  return [];
}
