/**
 * Opens a store path: looks whether it is what the configuration says, claims it, takes over what a C storage left, and settles
 * what an interrupted run left. Nothing is written before the first two are certain. Worker thread.
 */
import { binlogPath } from "#filestore/binlog/binlog-files.ts";
import { BinlogReader, type BinlogRecord } from "#filestore/binlog/binlog-reader.ts";
import { BinlogWriter } from "#filestore/binlog/binlog-writer.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { openContentLinks } from "#filestore/dedup/content-links.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { EngineState } from "#filestore/formats/engine-state.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { PackedFiles } from "#filestore/trunk/packed-files.ts";
import { adoptStorePath, refuseRunningStorage } from "#filestore/worker/adoption.ts";
import { Checkpoint, readEngineState } from "#filestore/worker/checkpoint.ts";
import { DirectoryChooser, restoreDistribution } from "#filestore/worker/directory-chooser.ts";
import {
  checkSubdirCount,
  DirectoryTree,
  makeIfMissing,
} from "#filestore/worker/directory-tree.ts";
import { diskFailure, type FileStoreError } from "#filestore/worker/disk-failure.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { IssuedNames } from "#filestore/worker/issued-names.ts";
import { damagedTailBytes, distributionSearchBytes } from "#filestore/worker/limits.ts";
import { openReadOnly } from "#filestore/worker/read-only-path.ts";
import { rollForward } from "#filestore/worker/roll-forward.ts";
import { StagedFiles } from "#filestore/worker/staged-files.ts";
import type { EngineParts, StorePath } from "#filestore/worker/store-path.ts";
import { adoptTrunkBinlog } from "#filestore/worker/trunk-adoption.ts";
import { FileError } from "#platform/files.ts";

export interface OpenReport {
  /** Changes of the last run that were recorded but not complete; they are now. */
  readonly rolledForward: number;
  /** Staged files of the last run that were dropped. */
  readonly swept: number;
  /** A C storage's store path was taken over. */
  readonly adopted: boolean;
  /** Why the path can only be read, see `read-only-path.ts`. */
  readonly readOnly?: string;
}

type FoundState = EngineState | "damaged" | undefined;

export interface OpenedStorePath {
  readonly store: StorePath;
  readonly checkpoint: Checkpoint;
  readonly report: OpenReport;
}

/** Throws `AppError<FileStoreErrorCode>`: `store-path-unfit`, `store-path-busy`, `store-full`, `disk-failed`. */
export function openStorePath(settings: StorePathSettings, parts: EngineParts): OpenedStorePath {
  try {
    return open(settings, parts);
  } catch (error) {
    const readOnly = isReadOnly(error) ? openReadOnly(settings, parts) : undefined;
    if (readOnly !== undefined) return readOnly;
    throw openFailure(error, settings.directory);
  }
}

function isReadOnly(error: unknown): boolean {
  return error instanceof FileError && error.code === "EROFS";
}

function open(settings: StorePathSettings, parts: EngineParts): OpenedStorePath {
  const { files, log } = parts;
  const layout = new FileLayout(settings.directory.replace(/(?<=.)\/+$/, ""), settings.index);
  const state = takeDirectory(settings, parts, layout);
  const adopted =
    state === undefined && adoptStorePath({ files, log, layout }, settings.adoptBasePath);
  if (adopted && settings.index === 0) adoptTrunkBinlog(files, layout, settings.adoptBasePath);
  makeIfMissing(files, layout.sync);
  // What the last start made may not be on stable storage either; without its directories nothing that is flushed is found again.
  for (const path of [layout.directory, layout.data, layout.own]) files.flushDirectory(path);
  const binlog = BinlogWriter.open({ files, directory: layout.sync, log });
  try {
    const flushed = settings.durability === "flushed";
    const { databases, ...world } = parts;
    const tree = new DirectoryTree(files, layout, flushed);
    const recent = readRecent(parts, layout, binlog.position);
    const directories = new DirectoryChooser(
      settings,
      restoreDistribution(recent, layout, settings),
    );
    const onFlushFailed = (error: FileError): void => {
      store.contents?.distrust();
      parts.onFlushFailed?.(error);
    };
    const onLeaseWanted = parts.onLeaseWanted ?? (() => {});
    const packed = new PackedFiles(
      { ...world, settings, layout, tree, directories, onLeaseWanted, onFlushFailed, flushed },
      () => binlog.position,
    );
    const store: StorePath = {
      ...world,
      onFlushFailed,
      onLeaseWanted,
      settings,
      source: settings.source,
      flushed,
      layout,
      binlog,
      tree,
      directories,
      packed,
      locks: new Set(),
      issued: new IssuedNames(newestSecond(parts, recent)),
      staged: new StagedFiles(files, layout, log),
      contents: undefined,
    };
    const tail = readTail(parts, layout, { state, end: binlog.position });
    const settled = rollForward(store, tail, {
      clean: state !== undefined && state !== "damaged" && state.clean,
      tailStart: tailStart(state, binlog.position),
    });
    const checkpoint = new Checkpoint(
      {
        ...{ files, layout, log, flushed, onFlushFailed: store.onFlushFailed },
        others: packed,
      },
      { subdirCount: settings.subdirCount, position: binlog.position },
    );
    noteOpening(store, checkpoint, state);
    if (settings.createAllDirectories) store.tree.makeAll(settings.subdirCount);
    if (settings.dedup) store.contents = openContentLinks(store, databases);
    return { store, checkpoint, report: { ...settled, adopted } };
  } catch (error) {
    binlog.close();
    throw error;
  }
}

/** Looks first, then makes and claims what is ours. */
function takeDirectory(
  settings: StorePathSettings,
  parts: EngineParts,
  layout: FileLayout,
): FoundState {
  const { files } = parts;
  if (files.stat(layout.directory, true)?.kind !== "directory") {
    throw fileStoreError(
      "store-path-unfit",
      `${layout.directory} is not a directory: mount the disk, or make the directory`,
    );
  }
  const seen = readEngineState(files, layout);
  checkSubdirCount(files, layout, {
    configured: settings.subdirCount,
    noted: seen === "damaged" ? undefined : seen?.subdirCount,
  });
  refuseRunningStorage(files, settings.adoptBasePath);
  for (const path of [layout.data, layout.own]) makeIfMissing(files, path);
  files.claim(layout.own);
  makeIfMissing(files, layout.tmp);
  // Whoever held the claim until now may have written on.
  return readEngineState(files, layout);
}

/** A full disk can be read and emptied; what cannot be noted makes the next start slower, that is all. */
function noteOpening(store: StorePath, checkpoint: Checkpoint, state: FoundState): void {
  try {
    checkpoint.write(store.binlog.position, false);
  } catch (error) {
    const full = error instanceof FileError && error.code === "ENOSPC";
    if (!full || state === undefined || state === "damaged") throw error;
    checkpoint.reuse(state);
    store.log.warn("checkpoint-not-written", { problem: error.message });
  }
}

/**
 * The records that may be half done. None after an orderly end: what stands there now was written by a C storage that had the path
 * meanwhile, and is that one's business. Without a legible note, more of them than can be needed.
 */
function readTail(
  parts: EngineParts,
  layout: FileLayout,
  known: { readonly state: FoundState; readonly end: BinlogPosition },
): readonly BinlogRecord[] {
  const { state, end } = known;
  if (state === undefined) return [];
  if (state === "damaged") {
    parts.log.error("engine-state-damaged", { path: layout.state });
  }
  const start = state !== "damaged" && state.clean ? undefined : tailStart(state, end);
  return start === undefined ? [] : readRecords(parts, layout, start);
}

/** Where the records begin that may be half done; undefined where nothing says so. */
function tailStart(state: FoundState, end: BinlogPosition): BinlogPosition | undefined {
  if (state !== "damaged") return state?.checkpoint;
  return { ...end, offset: Math.max(0, end.offset - damagedTailBytes) };
}

/**
 * The end of the present binlog file, or of the one before a new one: enough to find the rotation's place again, and the time of the
 * newest names.
 */
function readRecent(
  parts: EngineParts,
  layout: FileLayout,
  end: BinlogPosition,
): readonly BinlogRecord[] {
  const index = end.offset === 0 && end.index > 0 ? end.index - 1 : end.index;
  // A compressed one is not worth the time.
  const size = parts.files.stat(binlogPath(layout.sync, index), true)?.sizeBytes;
  if (size === undefined) return [];
  return readRecords(parts, layout, { index, offset: Math.max(0, size - distributionSearchBytes) });
}

/** No name that was given before has a later time in it, also where the clock was set back since. */
function newestSecond({ clock }: EngineParts, recent: readonly BinlogRecord[]): number {
  const times = recent.map(({ entry }) => entry.timestamp);
  return Math.max(Math.floor(clock.nowMs() / 1000), ...times);
}

function readRecords(
  parts: EngineParts,
  layout: FileLayout,
  from: BinlogPosition,
): readonly BinlogRecord[] {
  const { files, log } = parts;
  const reader = new BinlogReader({ files, directory: layout.sync, scratch: layout.tmp }, from);
  const records: BinlogRecord[] = [];
  try {
    for (;;) {
      const chunk = reader.read();
      if (chunk.records.length === 0 && chunk.invalid.length === 0) return records;
      for (const record of chunk.records) records.push(record);
      for (const { text } of chunk.invalid) log.debug("binlog-line-invalid", { text });
    }
  } finally {
    reader.close();
  }
}

const unfitCodes: ReadonlyMap<string, string> = new Map([
  ["EROFS", "is on a read-only file system: remount it for writing, or check the disk"],
  ["EACCES", "may not be written by this user: change its owner or its mode"],
  ["EPERM", "may not be written by this user: change its owner or its mode"],
  ["ENOTDIR", "has a file where a directory is needed"],
]);

function openFailure(error: unknown, directory: string): FileStoreError {
  if (!(error instanceof FileError)) return diskFailure(error, `open ${directory}`);
  const details = { errno: error.code };
  if (error.code === "EBUSY") {
    const problem = `${directory} is held by another process: two cannot serve one store path`;
    return fileStoreError("store-path-busy", problem, { cause: error, details });
  }
  const reason = unfitCodes.get(error.code);
  if (reason !== undefined) {
    const options = { cause: error, details };
    return fileStoreError("store-path-unfit", `${directory} ${reason}`, options);
  }
  return diskFailure(error, `open ${directory}`);
}
