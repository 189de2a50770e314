/**
 * The engine of one store path: everything that is done to its files, synchronously, on its worker's thread. Changes are prepared
 * one by one (bodies are received into `.cairn/tmp`, or, where nothing is flushed, stay in memory), then committed together:
 * `batch-commit.ts` says in which order, and `roll-forward.ts` what happens to those that a crash interrupted. Each call ends in
 * bounded time; long work comes as a generator, to be stepped between other requests. Failures are `AppError<FileStoreErrorCode>`.
 *
 * A file has one change at a time. Between preparing a change (or starting an append or a modification, or a regeneration) and its
 * end, in a commit, by `abort`, or at the end of its remainder, its name is locked: ask `isLocked` before, and let requests for a name
 * that is locked wait in line until a commit, an abort or the end of a remainder freed it.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { comparePositions } from "#filestore/binlog/position.ts";
import type { Content } from "#filestore/dedup/content-links.ts";
import type { MetadataMode } from "#filestore/file-store.ts";
import type { Packing } from "#filestore/packing.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import type { GivenAway } from "#filestore/trunk/packed-files.ts";
import type { RebuildFacts, TrunkFacts } from "#filestore/trunk/trunk-facts.ts";
import { BackgroundTurns } from "#filestore/worker/background-turns.ts";
import { commitBatch } from "#filestore/worker/batch-commit.ts";
import { ChangePreparer } from "#filestore/worker/change-preparer.ts";
import { SpliceChange } from "#filestore/worker/changes/splice-change.ts";
import type { Change, StagedChange } from "#filestore/worker/changes/staged-change.ts";
import type { Checkpoint } from "#filestore/worker/checkpoint.ts";
import { type FileStoreError, onDisk } from "#filestore/worker/disk-failure.ts";
import { lockKey } from "#filestore/worker/file-layout.ts";
import { type EngineFacts, FileReader, type ReadHandle } from "#filestore/worker/file-reader.ts";
import { type FlushSteps, runFlushSteps } from "#filestore/worker/flush-steps.ts";
import { type GivenSlot, isSlotInUse } from "#filestore/worker/given-slot.ts";
import { InventoryWalk } from "#filestore/worker/inventory-walk.ts";
import { LinkPreparer, type LinkRequest } from "#filestore/worker/link-preparer.ts";
import {
  type OpenedStorePath,
  type OpenReport,
  openStorePath,
} from "#filestore/worker/open-store-path.ts";
import { PathCheck } from "#filestore/worker/path-check.ts";
import { refusalOf, requireWritable } from "#filestore/worker/read-only-path.ts";
import { Replication } from "#filestore/worker/replicas/replication.ts";
import { Scrub } from "#filestore/worker/scrub/scrub.ts";
import type { EngineParts, StorePath } from "#filestore/worker/store-path.ts";
import { TrunkBinlogFile } from "#filestore/worker/trunk-binlog-file.ts";
import type { WriteHandle } from "#filestore/worker/write-handle.ts";
import { startWrite, type WriteTarget } from "#filestore/worker/write-start.ts";
import type { FileSource } from "#model/file-id.ts";
import { cachedReads, type DiskReads } from "#platform/disk-reads.ts";
import type { FileSystemSpace } from "#platform/files.ts";

export type { Change, EngineFacts, ReadHandle, WriteHandle, WriteTarget };

export class StorePathEngine {
  readonly openReport: OpenReport;
  /** What is done beside requests. */
  readonly background: BackgroundTurns;
  /** The group's trunk binlog, where this is the first store path of a storage that keeps it. */
  readonly trunkBinlog: TrunkBinlogFile;
  readonly inventory: InventoryWalk;
  readonly scrub: Scrub;
  /** Reads past the cache, for one file at a time that is looked at beside the scrub. */
  readonly diskReads: DiskReads;
  readonly replication: Replication;
  readonly #store: StorePath;
  readonly #checkpoint: Checkpoint;
  readonly #reader: FileReader;
  readonly #preparer: ChangePreparer;
  readonly #check: PathCheck;
  readonly #links: LinkPreparer;
  /** Committed, and not carried out in full: their remainders run. By lock key. */
  readonly #unfinished = new Map<string, SpliceChange>();
  /** The first record that could not be carried out in full and is left to the next start. */
  #owed: BinlogPosition | undefined;
  /** Where the records of the commit under way begin. */
  #committing: BinlogPosition | undefined;
  #closed = false;

  private constructor(opened: OpenedStorePath, parts: EngineParts) {
    this.openReport = opened.report;
    this.#store = opened.store;
    const { files, log, flushed, layout } = opened.store;
    const { data, own } = layout;
    this.trunkBinlog = new TrunkBinlogFile({ files, log, data, own, flushed });
    this.#checkpoint = opened.checkpoint;
    this.#reader = new FileReader(opened.store, (place) =>
      this.#unfinished.size === 0 ? undefined : this.#unfinished.get(lockKey(place.name))?.oldSize,
    );
    this.#preparer = new ChangePreparer(opened.store, this.#reader);
    opened.store.packed.settled = () => this.#firstUnfinished();
    this.#check = new PathCheck(opened.store, this.#reader);
    this.#links = new LinkPreparer(opened.store, this.#preparer, this.#reader);
    const { clock, contents, packed, reserve, recheck, journal } = opened.store;
    this.inventory = new InventoryWalk({ files, layout, clock });
    const disk = parts.diskReads ?? (() => cachedReads(files));
    this.scrub = new Scrub(opened.store, disk);
    this.diskReads = disk();
    const works = [
      reserve,
      journal.maker,
      packed.upkeep,
      packed.unused,
      this.inventory,
      this.scrub,
      ...(recheck === undefined ? [] : [recheck]),
      ...(contents === undefined ? [] : [contents]),
    ];
    this.replication = new Replication(opened.store, this.#reader, () => this.#readableEnd());
    this.background = new BackgroundTurns(clock, works);
  }

  /**
   * Claims the directory, checks it, adopts what a C storage left, sweeps and rolls forward what an interrupted run left. Throws
   * `store-path-unfit`, `store-path-busy`, `store-full`, `disk-failed`; the messages say what to do.
   */
  static open(settings: StorePathSettings, parts: EngineParts): StorePathEngine {
    return new StorePathEngine(openStorePath(settings, parts), parts);
  }

  /** For those who look at the path as a whole. */
  get world(): Pick<StorePath, "files" | "layout"> {
    return this.#store;
  }

  /** For those who look at damaged files, and set them aside. */
  get judged(): StorePath {
    return this.#store;
  }

  get storePathIndex(): number {
    return this.#store.settings.index;
  }

  /** True while a change of this file is under way. False for names that are none. */
  isLocked(name: string): boolean {
    return this.#store.locks.has(lockKey(name));
  }

  /** Names of files that are made from now on say that they come from `source`. */
  setSource(source: FileSource): void {
    this.#store.source = source;
  }

  /**
   * Begins to receive a body of `lengthBytes`; where that is not exact, what comes counts, and the file is not packed. Throws before anything is written: `file-invalid` (name, kind, offset), `file-missing`,
   * `file-exists` (slave), `store-full`, `disk-failed`. The name of an append or a modification must not be locked.
   */
  startWrite(target: WriteTarget, lengthBytes: number, exact = true): WriteHandle {
    return startWrite(this.#store, this.#preparer, { target, lengthBytes, exact });
  }

  /** Removes the file and its metadata. Throws `file-missing`, `file-invalid`. */
  prepareRemove(name: string): Change {
    return this.#preparer.remove(name);
  }

  /** Of appender files. Undefined where the size is that already. Throws `file-missing`, `file-invalid`. */
  prepareTruncate(name: string, sizeBytes: number): Change | undefined {
    return this.#preparer.truncate(name, sizeBytes);
  }

  /** Undefined where there is nothing to do. The text is used during the call only. Throws `file-missing`, `file-invalid`. */
  prepareMetadata(name: string, mode: MetadataMode, text: Uint8Array): Change | undefined {
    return this.#preparer.metadata(name, mode, text);
  }

  /**
   * Reads an appender file in steps of at most 1 MiB, and prepares its renaming to a normal one. The name is locked from the call
   * on: run the generator to its end, or end it with `return` after its first step. Throws `file-missing`, `file-invalid`.
   */
  regenerate(name: string): Generator<undefined, Change> {
    return this.#preparer.regenerate(name);
  }

  /** A new file of content that this path holds; undefined where it does not, or cannot give it another name. */
  prepareContent(content: Content, extension: string): Change | undefined {
    return this.#links.content(content, extension);
  }

  /**
   * Another name for a file, in steps of at most 1 MiB. The file is locked from the call on: run the generator to its end, or end it
   * with `return` after its first step. Throws `file-missing`, `file-invalid`, `file-exists` for a slave.
   */
  link(request: LinkRequest): Generator<undefined, Change> {
    return this.#links.file(request);
  }

  /** Commits a batch, blocking in each flush. Each change ends with `result` or `error`. */
  commit(changes: readonly Change[]): void {
    this.runNow(this.commitSteps(changes));
  }

  /** Ends changes that were not committed with this error; nothing of them is left. */
  refuse(changes: readonly Change[], error: FileStoreError): void {
    for (const change of changes as readonly StagedChange[]) {
      change.error = error;
      change.discard();
      this.#end(change);
    }
  }

  /** Runs steps of this engine to their end, blocking in each flush. */
  runNow<Result>(steps: FlushSteps<Result>): Result {
    return runFlushSteps(this.#store.files, steps);
  }

  /**
   * Commits a batch, in steps that wait for flushes; in the relaxed mode there is one step only. Each change ends with `result` or
   * `error`. Must be run to its end, one commit at a time; everything but another commit and `close` may be asked for meanwhile.
   */
  *commitSteps(changes: readonly Change[]): FlushSteps<void> {
    const staged = changes as readonly StagedChange[];
    this.#committing = this.#store.binlog.position;
    try {
      yield* commitBatch(this.#store, staged);
    } finally {
      this.#committing = undefined;
      for (const change of staged) this.#settle(change);
    }
    yield* this.#checkpoint.advance(this.#firstUnfinished());
  }

  /**
   * Brings what commits wrote and flushed in the journal alone to the disk, so that the next checkpoint, for which commits wait, has little
   * left to do. Undefined where that is not worth it now; to be run beside commits, one at a time.
   */
  earlyFlush(): FlushSteps<void> | undefined {
    return this.#store.journal.beginsEarlyFlush() ? this.#earlyFlush() : undefined;
  }

  /**
   * What a committed change still needs before it is answered: copying an append or a modification of more than 1 MiB, in such steps.
   * Its name stays locked until then. Undefined for all others. Must be asked for once, and run to its end.
   */
  remainder(change: Change): FlushSteps<void> | undefined {
    const staged = change as StagedChange;
    const steps = staged.error === undefined ? staged.remainder() : undefined;
    return steps === undefined ? undefined : this.#finish(staged, steps);
  }

  /** Its directory is the one that was opened: false where its file system was unmounted, or another one is mounted there. */
  get isPresent(): boolean {
    return this.#check.isPresent;
  }

  /** Throws `file-missing`, `file-irregular` for a directory, `file-invalid`, `disk-failed`. */
  openRead(name: string): ReadHandle {
    return this.#reader.open(name);
  }

  /** As `FileReader.readWhole`. */
  readWhole(name: string, sizeBytes: number, target: Uint8Array): boolean {
    return this.#reader.readWhole(name, sizeBytes, target);
  }

  /**
   * What is to be done before the file can be read, in steps of at most 1 MiB: undefined unless files are in doubt. They throw `file-missing`
   * where it is not what its name says.
   */
  proof(name: string): Generator<undefined, void> | undefined {
    return this.#store.recheck?.proof(name);
  }

  /** What was in doubt is no more, see `recheck/recheck.ts`. Throws `disk-failed`. */
  settleRecheck(): void {
    onDisk("settle what was in doubt", () => this.#store.recheck?.settle());
  }

  /** As `openRead`. Of a link: size of what it means, time of its own. */
  facts(name: string): EngineFacts {
    return this.#reader.facts(name);
  }

  /** CRC-32 of the content, in steps of at most 1 MiB. Throws as `openRead` does, at the first step. */
  crc(name: string): Generator<undefined, number> {
    return this.#reader.crc(name);
  }

  /** Throws `file-missing` where the file or its metadata is not there. */
  readMetadata(name: string): Uint8Array {
    return this.#preparer.readMetadata(name);
  }

  /** Room on the file system, and which one it is. */
  space(): FileSystemSpace & { readonly device: number } {
    const { files, layout } = this.#store;
    return onDisk("ask for room", () => {
      const device = files.stat(layout.data, true)?.device ?? Number.NaN;
      return { ...files.space(layout.data), device };
    });
  }

  /**
   * Looks whether the path can be trusted again, see `path-check.ts`; `suspect` after a failed flush. Returns how many files were read
   * again. Throws `disk-failed`, `store-full`.
   */
  *check(suspect: boolean): FlushSteps<number> {
    if (this.openReport.readOnly === undefined) {
      return yield* this.#check.steps(suspect ? this.#checkpoint.position : undefined);
    }
    requireWritable(this.#store);
    return 0;
  }

  /** How new files are packed from now on. */
  setPacking(packing: Packing): { readonly packs: boolean; readonly leased: number } {
    const { packed } = this.#store;
    packed.setPacking(packing);
    return { packs: packed.packs, leased: packed.leased };
  }

  /** Numbers for new trunk files, from `first` on. */
  addTrunkLease(first: number, count: number): void {
    this.#store.packed.addLease(first, count);
  }

  /** Free space of our own trunk files, at most `max` slots; it is not ours any more. Empty where none is left. Throws `disk-failed`. */
  giveTrunkSpaceAway(max: number): readonly GivenAway[] {
    return onDisk("give trunk files away", () => this.#store.packed.giveSpaceAway(max));
  }

  /** Finds the free space of our own trunk files again from the files themselves; one at a time. Throws `disk-failed` where it cannot. */
  rebuildTrunkSpace(): Generator<undefined, RebuildFacts> {
    if (this.openReport.readOnly !== undefined) throw refusalOf(this.#store.layout.directory);
    return this.#store.packed.rebuild.begin();
  }

  /** Those of these slots in which a file stands. Throws `disk-failed`. */
  slotsInUse<Slot extends GivenSlot>(slots: readonly Slot[]): readonly Slot[] {
    return onDisk("look into trunk files", () =>
      slots.filter((slot) => isSlotInUse(this.#store, slot)),
    );
  }

  get trunkFacts(): TrunkFacts {
    return this.#store.packed.facts;
  }

  /** Where the next record will stand. */
  binlogPosition(): BinlogPosition {
    return this.#store.binlog.position;
  }

  /** Notes a clean end. The directory stays claimed as long as the `Files` live. Throws `disk-failed`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#store.contents?.close();
    this.replication.close();
    this.scrub.close();
    if (this.openReport.readOnly !== undefined) return;
    onDisk("close the store path", () => {
      const { binlog, packed, journal } = this.#store;
      try {
        binlog.flush();
        packed.upkeep.stop();
        packed.unused.stop();
        this.#store.recheck?.save();
        this.scrub.save();
        const done = this.#firstUnfinished();
        const isDone = comparePositions(done, binlog.position) === 0;
        this.#checkpoint.write(done, isDone && !packed.hasUnrecorded);
      } finally {
        this.trunkBinlog.close();
        packed.close();
        journal.close();
        binlog.close();
      }
    });
  }

  *#earlyFlush(): FlushSteps<void> {
    const { packed, journal, binlog } = this.#store;
    // By its path: the next file may begin meanwhile, and this one be closed.
    const { kind, path } = binlog.flushTarget;
    yield* packed.unflushed.flushEarly([{ kind, path }]);
    journal.earlyFlushEnded();
  }

  #settle(change: StagedChange): void {
    if (change.error === undefined && change instanceof SpliceChange && change.isLong) {
      this.#unfinished.set(change.key, change);
    } else {
      this.#end(change);
    }
  }

  *#finish(change: StagedChange, steps: FlushSteps<void>): FlushSteps<void> {
    let ended = false;
    try {
      yield* steps;
      ended = true;
    } finally {
      if (!ended && change.error === undefined) this.#owed ??= change.position;
      this.#unfinished.delete(change.key);
      this.#end(change);
    }
  }

  #end(change: StagedChange): void {
    if (change.isOwed) this.#owed ??= change.position;
    this.#store.locks.delete(change.key);
    if (change.secondKey !== undefined) this.#store.locks.delete(change.secondKey);
    if (change.namedMs !== undefined) this.#store.names.give(change.namedMs);
  }

  /** Peers may read so far: nothing before it is taken back. What failed and waits for the next start does not hold them up. */
  #readableEnd(): BinlogPosition {
    if (this.openReport.readOnly !== undefined) return this.#checkpoint.position;
    const { firstHeld } = this.#store.binlog;
    let end = firstHeld;
    const started = [...this.#unfinished.values()].map(({ position }) => position);
    for (const position of [this.#committing, ...started]) {
      if (position !== undefined && comparePositions(position, end) < 0) end = position;
    }
    return end;
  }

  /** Everything before it is carried out. */
  #firstUnfinished(): BinlogPosition {
    let first = this.#owed ?? this.#committing ?? this.#store.binlog.position;
    const { packed, journal } = this.#store;
    for (const { owedSince } of [packed.unflushed, journal]) {
      if (owedSince !== undefined && comparePositions(owedSince, first) < 0) first = owedSince;
    }
    for (const { position } of this.#unfinished.values()) {
      if (position !== undefined && comparePositions(position, first) < 0) first = position;
    }
    return first;
  }
}
