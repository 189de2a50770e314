/**
 * Commits changes together, so that they share one write to the binlog and, where they are flushed, its flush and those of
 * directories. The records are the commit: before they stand nothing is visible, afterwards the change is carried out here or by the
 * next start. Each step ends before the next begins, hence what a record says is on stable storage before the record is. Worker
 * thread.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { amendBinlog } from "#filestore/worker/amend-binlog.ts";
import type { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { diskFailure } from "#filestore/worker/disk-failure.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";

/** Every change ends with its `result` or its `error`; throws for our own mistakes only. */
export function commitBatch(store: StorePath, changes: readonly StagedChange[]): void {
  const recorded = record(store, stage(store, changes));
  const amends: string[] = [];
  const applied = recorded.filter((change) =>
    attempt(
      change,
      () => change.apply(),
      () => amends.push(change.amends()),
    ),
  );
  const durable = store.flushed ? flushApplied(store, applied) : applied;
  for (const change of recorded) change.cleanUp();
  amendBinlog(store, amends.join(""));
  for (const change of durable) change.succeed();
}

/** Names what is staged after its record, and flushes it. Those that are left are bound to where their records will stand. */
function stage(store: StorePath, changes: readonly StagedChange[]): readonly StagedChange[] {
  try {
    store.binlog.rotateWhenFull();
  } catch (error) {
    failAll(changes, error);
    return [];
  }
  let live = changes;
  for (;;) {
    let { offset } = store.binlog.position;
    const bound = live.filter((change) => {
      const position = { ...store.binlog.position, offset };
      if (!bindTo(change, position)) return false;
      offset += change.lines.length;
      return true;
    });
    const flushed = store.flushed ? flushStaged(store, bound) : bound;
    // Where one dropped out behind others that follow it, those are bound to the wrong place.
    if (flushed.length === bound.length) return flushed;
    live = flushed;
  }
}

function bindTo(change: StagedChange, position: BinlogPosition): boolean {
  change.position = position;
  return attempt(
    change,
    () => change.bind(position),
    () => change.discard(),
  );
}

function flushStaged(store: StorePath, changes: readonly StagedChange[]): readonly StagedChange[] {
  if (changes.every((change) => change.lines === "")) return changes;
  try {
    // First, because on ext4 it brings the new files' content along, in one journal commit.
    store.files.flushDirectory(store.layout.tmp);
  } catch (error) {
    for (const change of changes) change.discard();
    failAll(changes, error);
    return [];
  }
  return changes.filter((change) =>
    attempt(
      change,
      () => change.flushContent(),
      () => change.discard(),
    ),
  );
}

function record(store: StorePath, changes: readonly StagedChange[]): readonly StagedChange[] {
  let lines = "";
  for (const change of changes) lines += change.lines;
  if (lines === "") return changes;
  const start = store.binlog.position;
  try {
    store.binlog.append(lines);
    if (store.flushed) store.binlog.flush();
    return changes;
  } catch (error) {
    store.binlog.takeBack(start);
    for (const change of changes) change.discard();
    failAll(changes, error);
    return [];
  }
}

function flushApplied(store: StorePath, changes: readonly StagedChange[]): readonly StagedChange[] {
  const flushed = changes.filter((change) => attempt(change, () => change.flushApplied()));
  const failures = new Map<string, unknown>();
  const directories = new Set(flushed.flatMap((change) => change.touchedDirectories()));
  for (const directory of directories) {
    try {
      store.files.flushDirectory(directory);
    } catch (error) {
      failures.set(directory, error);
    }
  }
  if (failures.size === 0) return flushed;
  return flushed.filter((change) => {
    const failed = change.touchedDirectories().find((directory) => failures.has(directory));
    if (failed === undefined) return true;
    change.error = diskFailure(failures.get(failed), change.doing);
    return false;
  });
}

/** True where `step` did it; else the change has its error, and `otherwise` was called. */
function attempt(change: StagedChange, step: () => void, otherwise?: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    change.error = diskFailure(error, change.doing);
    otherwise?.();
    return false;
  }
}

function failAll(changes: readonly StagedChange[], error: unknown): void {
  for (const change of changes) change.error = diskFailure(error, change.doing);
}
