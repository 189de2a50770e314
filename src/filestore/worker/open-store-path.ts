/**
 * Opens a store path: looks whether it is what the configuration says, claims it, takes over what a C storage left, and settles
 * what an interrupted run left. Nothing is written before the first two are certain. Worker thread.
 */
import { binlogPath, findBinlogIndex } from "#filestore/binlog/binlog-files.ts";
import { type BinlogRecord, readRecords } from "#filestore/binlog/binlog-reader.ts";
import { BinlogWriter } from "#filestore/binlog/binlog-writer.ts";
import { type BinlogPosition, binlogStart, comparePositions } from "#filestore/binlog/position.ts";
import { openContentLinks } from "#filestore/dedup/content-links.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { EngineState } from "#filestore/formats/engine-state.ts";
import type { RecheckNote } from "#filestore/formats/recheck-note.ts";
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
import { diskFailure, type FileStoreError, isFull } from "#filestore/worker/disk-failure.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { IssuedNames } from "#filestore/worker/issued-names.ts";
import { CommitJournal, journaledBinlog } from "#filestore/worker/journal/commit-journal.ts";
import {
  type FoundEntry,
  replayRecords,
  replaySlots,
} from "#filestore/worker/journal/journal-replay.ts";
import { damagedTailBytes, distributionSearchBytes } from "#filestore/worker/limits.ts";
import { NameTimes } from "#filestore/worker/name-times.ts";
import {
  keepIdentity,
  type PathIdentity,
  requireSamePath,
  seePath,
} from "#filestore/worker/path-identity.ts";
import { openReadOnly } from "#filestore/worker/read-only-path.ts";
import { beginRecheck, findDoubts } from "#filestore/worker/recheck/open-recheck.ts";
import { Settling } from "#filestore/worker/recheck/settling.ts";
import { RemovedNames } from "#filestore/worker/replicas/removed-names.ts";
import { type RollForwardReport, rollForward } from "#filestore/worker/roll-forward.ts";
import { RoomReserve, releaseWholeReserve } from "#filestore/worker/room-reserve.ts";
import { StagedFiles } from "#filestore/worker/staged-files.ts";
import type { EngineParts, StorePath } from "#filestore/worker/store-path.ts";
import { adoptTrunkBinlog } from "#filestore/worker/trunk-adoption.ts";
import { slotOfEntry } from "#filestore/worker/trunk-slot.ts";
import { FileError, type Files } from "#platform/files.ts";

export interface OpenReport {
  /** Changes of the last run that were recorded but not complete; they are now. */
  readonly rolledForward: number;
  /** Staged files of the last run that were dropped. */
  readonly swept: number;
  /** A C storage's store path was taken over. */
  readonly adopted: boolean;
  /** Why the path can only be read, see `read-only-path.ts`. */
  readonly readOnly?: string;
  readonly identity?: PathIdentity;
}

/** The last one that a name has room for. */
const maxSecond = 0xffffffff;

type FoundIdentity = ReturnType<typeof keepIdentity>;
type FoundState = EngineState | "damaged" | undefined;

export interface OpenedStorePath {
  readonly store: StorePath;
  readonly checkpoint: Checkpoint;
  readonly report: OpenReport;
}

/** Throws `AppError<FileStoreErrorCode>`: `store-path-unfit`, `store-path-busy`, `store-full`, `disk-failed`. */
export function openStorePath(settings: StorePathSettings, parts: EngineParts): OpenedStorePath {
  try {
    return openWithRoom(settings, parts);
  } catch (error) {
    const readOnly = isReadOnly(error) ? openReadOnly(settings, parts) : undefined;
    if (readOnly !== undefined) return readOnly;
    throw openFailure(error, settings.directory);
  }
}

/** What an interrupted run left may need room that only the reserve has. */
function openWithRoom(settings: StorePathSettings, parts: EngineParts): OpenedStorePath {
  try {
    return open(settings, parts);
  } catch (error) {
    if (!isFull(error) || !releaseWholeReserve(parts.files, layoutOf(settings))) throw error;
    parts.log.warn("reserve-in-use", { path: settings.directory });
    return open(settings, parts);
  }
}

function layoutOf(settings: StorePathSettings): FileLayout {
  return new FileLayout(settings.directory.replace(/(?<=.)\/+$/, ""), settings.index);
}

function isReadOnly(error: unknown): boolean {
  return error instanceof FileError && error.code === "EROFS";
}

function open(settings: StorePathSettings, parts: EngineParts): OpenedStorePath {
  const { files, log, clock } = parts;
  const layout = layoutOf(settings);
  const { state, identity } = takeDirectory(settings, parts, layout);
  const adopted = state === undefined && adopt(settings, parts, layout);
  makeDirectories(files, layout);
  const journaled = replayBinlog(parts, layout, state);
  const binlog = BinlogWriter.open({ files, directory: layout.sync, log });
  try {
    const flushed = settings.durability === "flushed";
    const journal = journalOf(settings, parts, layout);
    const { databases, nameMemory, onRecheck: _, ...world } = parts;
    const tree = new DirectoryTree(files, layout, flushed);
    const found = binlog.position;
    const recent = readRecent(parts, layout, found);
    const doubts = findDoubts(parts, layout, { state, end: found, recent, flushed });
    const directories = new DirectoryChooser(
      settings,
      restoreDistribution(recent, layout, settings),
    );
    const onFlushFailed = (error: FileError): void => {
      store.contents?.distrust();
      packed.unflushed.distrust();
      journal.distrust();
      parts.onFlushFailed?.(error);
    };
    const onLeaseWanted = parts.onLeaseWanted ?? (() => {});
    const packed = new PackedFiles(
      { ...world, settings, layout, tree, directories, onLeaseWanted, onFlushFailed, flushed },
      () => binlog.position,
    );
    const start = newestSecond(parts, recent, state);
    const store: StorePath = {
      ...world,
      onFlushFailed,
      onLeaseWanted,
      settings,
      source: settings.source,
      flushed,
      layout,
      binlog,
      journal,
      tree,
      directories,
      packed,
      locks: new Set(),
      issued: new IssuedNames(start),
      names: new NameTimes({ clock, memory: nameMemory, storePathIndex: settings.index, start }),
      staged: new StagedFiles(files, layout, log),
      removed: new RemovedNames({ files, layout, binlog }),
      endedWell: state === undefined || isClean(state),
      reserve: new RoomReserve({ ...parts, layout, onNoRoom: () => packed.upkeep.restEmpty() }),
      recheck: undefined,
      contents: undefined,
    };
    store.reserve.look();
    const settled = settleLastRun(store, parts, { state, end: found, recent, journaled });
    const checkpoint = checkpointOf(store, state);
    noteOpening(store, checkpoint, state);
    store.recheck = beginRecheck(store, doubts, { found, parts });
    if (settings.createAllDirectories) store.tree.makeAll(settings.subdirCount);
    if (settings.dedup) store.contents = openContentLinks(store, databases);
    const known = identityFound(identity, doubts);
    return { store, checkpoint, report: { ...settled, adopted, ...known } };
  } catch (error) {
    binlog.close();
    throw error;
  }
}

/** What the last start made may not be on stable storage either; without its directories nothing that is flushed is found again. */
function makeDirectories(files: Files, layout: FileLayout): void {
  makeIfMissing(files, layout.sync);
  for (const path of [layout.directory, layout.data, layout.own]) files.flushDirectory(path);
}

function journalOf(
  settings: StorePathSettings,
  parts: EngineParts,
  layout: FileLayout,
): CommitJournal {
  const isUsed = settings.durability === "flushed" && !settings.readOnly;
  const bytes = isUsed ? settings.journalBytes : 0;
  const journal = new CommitJournal({ ...parts, layout, bytes });
  journal.look();
  return journal;
}

function binlogOf({ files, log }: EngineParts, layout: FileLayout) {
  return { files, log, directory: layout.sync, scratch: layout.tmp };
}

/** Carries out what the last run has recorded, and did not live to do. */
function settleLastRun(
  store: StorePath,
  parts: EngineParts,
  last: {
    readonly state: FoundState;
    /** Of the binlog. */
    readonly end: BinlogPosition;
    readonly recent: readonly BinlogRecord[];
    /** Of the journal; their records are in the binlog again. */
    readonly journaled: readonly FoundEntry[];
  },
): RollForwardReport {
  const { state, end, recent } = last;
  const tail = readTail(parts, store.layout, { state, end });
  replaySlots(store, last.journaled, tail);
  const how = { clean: isClean(state), tailStart: tailStart(state, end) };
  const settled = rollForward(store, tail, how);
  lookForUnused(store, [...recent, ...tail]);
  // What the last run appended and did not live to flush is read by peers as well; and the journal, which has some of it, counts no more.
  if (store.flushed || last.journaled.length > 0) store.binlog.flush();
  return settled;
}

/** What the last run deleted and did not live to look after. */
function lookForUnused({ layout, packed }: StorePath, records: readonly BinlogRecord[]): void {
  for (const { entry } of records) {
    const slot = entry.kind === "delete" ? slotOfEntry(layout, entry) : undefined;
    if (slot !== undefined) packed.unused.look(slot);
  }
}

function isClean(state: FoundState): boolean {
  return state !== undefined && state !== "damaged" && state.clean;
}

/** True where a C storage's store path was taken over. Throws as `adoptStorePath`. */
function adopt(settings: StorePathSettings, parts: EngineParts, layout: FileLayout): boolean {
  const { files, log } = parts;
  const adopted = adoptStorePath({ files, log, layout }, settings.adoptBasePath);
  if (adopted && settings.index === 0) adoptTrunkBinlog(files, layout, settings.adoptBasePath);
  return adopted;
}

function checkpointOf(store: StorePath, state: FoundState): Checkpoint {
  const { files, layout, log, clock, flushed, onFlushFailed, packed: others, names } = store;
  const journaled = journaledBinlog(store.binlog, store.journal);
  const { position } = store.binlog;
  const before = state === "damaged" ? undefined : state?.settled;
  const world = { clock, mounting: files.mounting(layout.own) };
  const until = flushed ? { until: position } : {};
  const isLeft = !flushed || before !== undefined;
  const settling = isLeft
    ? { settling: new Settling({ ...world, ...until }, before, position) }
    : {};
  return new Checkpoint(
    { files, layout, log, flushed, onFlushFailed, others, names, journaled, ...settling },
    { subdirCount: store.settings.subdirCount, position },
  );
}

/** Looks first, then makes and claims what is ours. */
function takeDirectory(
  settings: StorePathSettings,
  parts: EngineParts,
  layout: FileLayout,
): { readonly state: FoundState; readonly identity: FoundIdentity } {
  const { files } = parts;
  if (files.stat(layout.directory, true)?.kind !== "directory") {
    throw fileStoreError(
      "store-path-unfit",
      `${layout.directory} is not a directory: mount the disk, or make the directory`,
    );
  }
  const path = settings.identity === undefined ? undefined : seePath(files, layout);
  if (path !== undefined) requireSamePath(settings, path);
  const seen = readEngineState(files, layout);
  checkSubdirCount(files, layout, {
    configured: settings.subdirCount,
    noted: seen === "damaged" ? undefined : seen?.subdirCount,
  });
  refuseRunningStorage(files, settings.adoptBasePath);
  for (const path of [layout.data, layout.own]) makeIfMissing(files, path);
  files.claim(layout.own);
  makeIfMissing(files, layout.tmp);
  const newId = settings.identity?.newId ?? "";
  const identity = path === undefined ? path : keepIdentity(files, layout, { seen: path, newId });
  // Whoever held the claim until now may have written on.
  return { state: readEngineState(files, layout), identity };
}

/** A binlog that ends before what was noted of it is not the one that was there, until what that cost is mended. */
function identityFound(
  identity: FoundIdentity,
  doubts: RecheckNote | undefined,
): { readonly identity?: PathIdentity } {
  if (identity === undefined) return {};
  return { identity: { ...identity, lostBinlog: doubts?.why === "binlog-lost" } };
}

/** A full disk can be read and emptied; what cannot be noted makes the next start slower, that is all. */
function noteOpening(store: StorePath, checkpoint: Checkpoint, state: FoundState): void {
  try {
    checkpoint.write(store.binlog.position, false);
    store.journal.removeUnwanted();
  } catch (error) {
    const full = error instanceof FileError && error.code === "ENOSPC";
    if (!full || state === undefined || state === "damaged") throw error;
    checkpoint.reuse(state);
    store.journal.refuse();
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
  return start === undefined ? [] : readRecords(binlogOf(parts, layout), start);
}

/** Also where changes are not flushed any more: the last run may have been told otherwise. */
function replayBinlog(
  { files, log }: EngineParts,
  layout: FileLayout,
  state: FoundState,
): readonly FoundEntry[] {
  if (state === undefined || isClean(state)) return [];
  return replayRecords({ files, layout, log }, replayFrom(files, layout, state));
}

/** From where on the journal counts. */
function replayFrom(files: Files, layout: FileLayout, state: FoundState): BinlogPosition {
  const index = findBinlogIndex(files, layout.sync).currentWrite;
  const offset = files.stat(binlogPath(layout.sync, index), true)?.sizeBytes ?? 0;
  return state !== undefined && state !== "damaged"
    ? state.checkpoint
    : (tailStart(state, { index, offset }) ?? binlogStart);
}

/**
 * Where the records begin that may be half done; undefined where nothing says so. A note of a place behind the binlog's end is of no use:
 * the end was lost, and with it what the note counts on.
 */
function tailStart(state: FoundState, end: BinlogPosition): BinlogPosition | undefined {
  if (state === undefined) return undefined;
  if (state !== "damaged" && comparePositions(state.checkpoint, end) <= 0) return state.checkpoint;
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
  return readRecords(binlogOf(parts, layout), {
    index,
    offset: Math.max(0, size - distributionSearchBytes),
  });
}

/**
 * No name that was given before has a later time in it, also where the clock was set back since. What peers did first says nothing of
 * it: their clocks are theirs.
 */
function newestSecond(
  { clock }: EngineParts,
  recent: readonly BinlogRecord[],
  state: FoundState,
): number {
  const noted = state === "damaged" ? undefined : state?.nameLimit;
  let newest = Math.max(Math.floor(clock.nowMs() / 1000), noted ?? 0);
  for (const { entry } of recent) {
    const { timestamp, replica } = entry;
    if (!replica && timestamp > newest && timestamp <= maxSecond) newest = timestamp;
  }
  return Math.min(newest, maxSecond);
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
