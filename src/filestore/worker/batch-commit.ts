/**
 * Commits changes together, so that they share one write to the binlog and, where they are flushed, its flush and those of
 * directories. The records are the commit: before they stand nothing is visible, afterwards the change is carried out here or by the
 * next start, which takes back what it cannot carry out: a new file that was not staged (`create-change.ts`), or a packed one that
 * is not whole. Each step ends before the next begins, hence what a record says is on stable storage before the record is, or, where
 * a start can tell that it is not, with it; flushes are handed out (`FlushSteps`), and those of one step may happen in any order. Where one of them fails, no change of the batch is acknowledged that depended on that
 * step. Worker thread.
 */

import { maxBytesWithRecords, maxFilesWithRecords } from "#filestore/trunk/limits.ts";
import { amendBinlog } from "#filestore/worker/amend-binlog.ts";
import type { BatchStager, StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { diskFailure } from "#filestore/worker/disk-failure.ts";
import { type FlushSteps, flushAll } from "#filestore/worker/flush-steps.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import type { FileError } from "#platform/files.ts";

type Changes = readonly StagedChange[];

const nothing: ReadonlySet<StagedChange> = new Set();

/** Every change ends with its `result` or its `error`; throws for our own mistakes only. */
export function* commitBatch(store: StorePath, changes: Changes): FlushSteps<void> {
  const staged = bindAll(store, stageTogether(changes));
  const together = store.flushed ? flushedWithRecords(staged) : nothing;
  const recorded = yield* record(store, yield* flushContent(store, staged, together), together);
  const amends: string[] = [];
  const applied = recorded.filter((change) =>
    attempt(
      change,
      () => change.apply(),
      () => amends.push(change.amends()),
    ),
  );
  const durable = store.flushed ? yield* flushApplied(store, applied, amends) : applied;
  for (const change of recorded) change.cleanUp();
  yield* amendBinlog(store, amends.join(""));
  for (const change of durable) change.succeed();
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
  try {
    store.binlog.rotateWhenFull();
  } catch (error) {
    return drop(changes, error);
  }
  const start = store.binlog.position;
  for (let live = changes; ; ) {
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
  let lines = "";
  for (const change of changes) lines += change.lines;
  if (lines === "") return changes;
  const start = store.binlog.position;
  try {
    store.binlog.append(lines);
  } catch (error) {
    return drop(changes, error);
  }
  const error = store.flushed ? yield* flushRecords(store, changes, together) : undefined;
  if (error === undefined) return changes;
  store.binlog.takeBack(start);
  return drop(changes, error);
}

/**
 * In flight at the same time, so that one journal commit of the file system serves them all; the content first, whose space is
 * given to it before the short write of the records ends (the other order: a fifth to a third less a second, measured on ext4).
 */
function flushRecords(
  store: StorePath,
  changes: Changes,
  together: ReadonlySet<StagedChange>,
): FlushSteps<FileError | undefined> {
  const content = changes.flatMap((change) =>
    together.has(change) ? change.contentTargets() : [],
  );
  return flushAll(store, [...content, store.binlog.flushTarget]);
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
