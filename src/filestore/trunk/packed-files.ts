/**
 * The trunk files of one store path: gives slots out to new packed files, takes those of deleted ones back, and makes new trunk files
 * from the numbers that this node leased. Slots come from *active* files, which are noted with their free space before the first slot is
 * taken from them (`.cairn/trunk-open`), so that a start after a crash finds whatever was written without a record. An upload never
 * waits here for a lease, and never fails for want of one: then its file is one of its own. Worker thread.
 */
import type { Log } from "#base/log.ts";
import type { BinlogEntry } from "#filestore/binlog/entry.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import type { TrunkOpenNote } from "#filestore/formats/trunk-open.ts";
import { noPacking, type Packing } from "#filestore/packing.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import {
  maxActiveExtents,
  maxActiveFiles,
  minReusablePart,
  retryMakingMs,
  retryRoomMs,
} from "#filestore/trunk/limits.ts";
import { makeTrunkFile } from "#filestore/trunk/make-trunk-file.ts";
import { SlotRuns } from "#filestore/trunk/slot-runs.ts";
import { TrunkDescriptors } from "#filestore/trunk/trunk-descriptors.ts";
import type { TrunkFacts } from "#filestore/trunk/trunk-facts.ts";
import { TrunkLease } from "#filestore/trunk/trunk-lease.ts";
import { TrunkLog } from "#filestore/trunk/trunk-log.ts";
import { TrunkNotes } from "#filestore/trunk/trunk-notes.ts";
import { TrunkRebuild } from "#filestore/trunk/trunk-rebuild.ts";
import {
  slotSizeFor,
  type TrunkFile,
  type TrunkFileSpace,
  TrunkSpace,
} from "#filestore/trunk/trunk-space.ts";
import { TrunkUpkeep } from "#filestore/trunk/trunk-upkeep.ts";
import { overwrite } from "#filestore/trunk/trunk-zeros.ts";
import { UnflushedSlots } from "#filestore/trunk/unflushed-slots.ts";
import { UnusedFiles } from "#filestore/trunk/unused-files.ts";
import type { DirectoryChooser } from "#filestore/worker/directory-chooser.ts";
import type { DirectoryTree } from "#filestore/worker/directory-tree.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { type FlushSteps, runFlushSteps } from "#filestore/worker/flush-steps.ts";
import { slotOfEntry } from "#filestore/worker/trunk-slot.ts";
import { directoryName } from "#model/remote-filename.ts";
import {
  type TrunkLocation,
  type TrunkSlot,
  trunkFilename,
  trunkHeaderSize,
} from "#model/trunk-location.ts";
import type { Clock } from "#platform/clock.ts";
import { FileError, type Files } from "#platform/files.ts";

export interface PackedFilesParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: StorePathSettings;
  readonly layout: FileLayout;
  readonly tree: DirectoryTree;
  readonly directories: DirectoryChooser;
  /** More numbers for new trunk files are wanted. */
  readonly onLeaseWanted: (count: number) => void;
  readonly onFlushFailed: (error: FileError) => void;
  /** Nothing counts before it is on stable storage. */
  readonly flushed: boolean;
}

/** A slot that one new file holds until it is recorded, or given back. */
export interface ClaimedSlot {
  /** Undefined where the slot came from the group's trunk server. */
  readonly space: TrunkFileSpace | undefined;
  readonly slot: TrunkSlot;
  /** Of the trunk file. */
  readonly path: string;
  readonly high: number;
  readonly low: number;
}

/** A place in a trunk file of any owner. */
export interface SlotRegion {
  /** Of the trunk file. */
  readonly path: string;
  readonly fileId: number;
  readonly offset: number;
  readonly size: number;
}

/** A free slot that becomes the trunk server's. */
export type GivenAway = Omit<TrunkLocation, "storePathIndex">;

export class PackedFiles {
  readonly space = new TrunkSpace();
  readonly descriptors: TrunkDescriptors;
  readonly runs: SlotRuns;
  readonly notes: TrunkNotes;
  readonly upkeep: TrunkUpkeep;
  readonly rebuild: TrunkRebuild;
  /** Over what was deleted; for the next checkpoint. */
  readonly unflushed: UnflushedSlots;
  /** Of trunk files that are not ours. */
  readonly unused: UnusedFiles;
  /** The setting, and what the disk is, let this path pack. */
  readonly packs: boolean;
  /** A note of active files is on the disk, and must not grow old. */
  isNoted = false;
  /** Something may stand in a slot without a record, which the disk did not let us clear: the next start is to look. */
  hasUnrecorded = false;
  readonly #parts: PackedFilesParts;
  readonly #log: TrunkLog;
  /** Given out, and neither recorded nor given back. */
  readonly #claimed = new Set<ClaimedSlot>();
  /** Slots of files that are not ours any more. */
  readonly #toGive: GivenAway[] = [];
  readonly #lease: TrunkLease;
  #packing: Packing = noPacking;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  /** Everything before it is carried out, and nothing behind it. */
  #settled: () => BinlogPosition;

  constructor(parts: PackedFilesParts, settled: () => BinlogPosition) {
    const { files, clock, log, layout, settings } = parts;
    this.#parts = parts;
    this.#settled = settled;
    this.packs = mayPack(settings, files, layout.directory);
    this.descriptors = new TrunkDescriptors(files);
    this.runs = new SlotRuns(files, this.descriptors);
    this.notes = new TrunkNotes(parts, layout.own);
    this.#lease = new TrunkLease(parts.onLeaseWanted);
    this.unflushed = new UnflushedSlots({
      descriptors: this.descriptors,
      flushed: parts.flushed,
      onFlushFailed: parts.onFlushFailed,
      settled: () => this.#settled(),
    });
    const onRemoved = (removed: string) => this.unflushed.removed(removed);
    this.unused = new UnusedFiles({
      ...{ files, clock, log, descriptors: this.descriptors, onRemoved },
      isOwn: (fileId) => this.space.find(fileId) !== undefined,
    });
    const path = `${layout.own}/trunk.log`;
    this.#log = new TrunkLog({ files, clock, log, path, storePathIndex: settings.index });
    this.upkeep = new TrunkUpkeep({
      files,
      log,
      space: this.space,
      trunkLog: this.#log,
      descriptors: this.descriptors,
      pathOf: (file) => this.pathOf(file),
      newTemporary: () => `${layout.tmp}/${temporaryName}`,
      noteFiles: () => this.noteFiles(),
      onRemoved,
    });
    const { space, upkeep, descriptors } = this;
    const binlog = { files, directory: layout.sync, scratch: layout.tmp };
    const slotOf = (entry: BinlogEntry) => slotOfEntry(layout, entry);
    const names = { files, binlog, descriptors, slotOf };
    const isClaimed = (file: TrunkFileSpace) => this.isClaimed(file);
    this.rebuild = new TrunkRebuild({ clock, log, space, upkeep, names, isClaimed });
  }

  get packing(): Packing {
    return this.#packing;
  }

  /** Numbers for new trunk files that are left. */
  get leased(): number {
    return this.#lease.left;
  }

  /** Who knows how far the binlog is carried out, once there is somebody. */
  set settled(settled: () => BinlogPosition) {
    this.#settled = settled;
  }

  setPacking(packing: Packing): void {
    this.#packing = packing;
    this.unused.removes = packing.removesUnused;
    if (packing.mode === "leased" && this.packs) this.#lease.ask(true);
  }

  addLease(first: number, count: number): void {
    this.#lease.add(first, count);
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  pathOf(file: Pick<TrunkFile, "id" | "high" | "low">): string {
    const directory = `${directoryName(file.high)}/${directoryName(file.low)}`;
    return `${this.#parts.layout.data}/${directory}/${trunkFilename(file.id)}`;
  }

  /** Whether a new file of this size is packed by this worker on its own account. */
  accepts(contentBytes: number): boolean {
    const { mode, slotMaxBytes } = this.#packing;
    if (mode !== "leased" || !this.packs) return false;
    return contentBytes + trunkHeaderSize <= slotMaxBytes;
  }

  /** A slot for a file with so much content; undefined where there is none to be had at once. */
  claim(contentBytes: number): ClaimedSlot | undefined {
    const needed = contentBytes + trunkHeaderSize;
    const found =
      this.space.allocate(needed, this.#packing) ??
      (this.#makeRoom(slotSizeFor(needed, this.#packing))
        ? this.space.allocate(needed, this.#packing)
        : undefined);
    if (found === undefined) return undefined;
    const { space, slot } = found;
    const { high, low } = space.file;
    const claim = { space, slot, path: space.path, high, low };
    this.#claimed.add(claim);
    return claim;
  }

  /** The slot is a recorded file's now. */
  committed(claim: ClaimedSlot): void {
    this.#claimed.delete(claim);
    if (claim.space === undefined) this.unused.release(claim.path);
    else this.#log.note("used", claim.space.file, claim.slot);
  }

  /** Nothing was made of it. `written`: something may stand in the slot. */
  giveBack(claim: ClaimedSlot, written: boolean): void {
    const { space, slot, path } = claim;
    const { fileId, offset, size } = slot;
    if (written && !this.#tryClear({ path, fileId, offset, size })) {
      // It stays among those that may hold something without a record.
      this.hasUnrecorded = true;
      return;
    }
    this.#claimed.delete(claim);
    if (space === undefined) this.unused.release(path);
    else this.space.free(slot);
  }

  /**
   * Overwrites a slot by zeros. Throws `FileError` where it is as it was; false where the header is zeros, so that the slot holds no
   * file, and something behind it may not be.
   */
  clear(region: SlotRegion): boolean {
    const { files, log } = this.#parts;
    const { path, offset, size } = region;
    const descriptor = this.descriptors.peek(path);
    if (descriptor === undefined) throw new FileError("ENOENT", `ENOENT: ${path}`, path);
    const first = Math.min(size, clearedAtOnce);
    overwrite(files, descriptor, { offset, size: first });
    this.upkeep.cleared(region);
    this.unused.cleared(region);
    try {
      overwrite(files, descriptor, { offset: offset + first, size: size - first });
      return true;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      log.warn("slot-not-cleared", { path, offset, problem: error.message });
      return false;
    }
  }

  /** The file that a slot held is deleted for good. */
  freed(slot: TrunkSlot): void {
    const space = this.space.find(slot.fileId);
    if (space === undefined || !this.space.free(slot)) return;
    this.#log.note("free", space.file, slot);
    this.upkeep.changed(space);
  }

  /**
   * Before the engine notes this position for itself: flushes the zeros over what was deleted before it, and notes what is free in the
   * active files. All records before `position` are carried out. Throws `FileError`.
   */
  note(position: BinlogPosition): void {
    runFlushSteps(this.#parts.files, this.unflushed.flush());
    this.#note(position);
  }

  /** A record tells what became of a slot in a file that rests; the log, which may end before that, is told as well. */
  followed(kind: "free" | "used", space: TrunkFileSpace, slot: SlotRegion): void {
    if (kind === "free") space.late.merge(slot.offset, slot.size);
    else space.late.remove(slot.offset, slot.size);
    this.#log.note(kind, space.file, slot);
  }

  /** As `note`, in steps that wait for flushes. */
  *noteSteps(position: BinlogPosition): FlushSteps<void> {
    yield* this.unflushed.flush();
    const note = this.#noteFor(position);
    if (note === undefined) return;
    yield* this.notes.writeOpenSteps(note);
    this.isNoted = true;
  }

  /**
   * Gives free space of our files away for good, as slots, to the group's trunk server; at most `max` at a time, none where none is left.
   * A file stops being ours before the first of its slots is given. Throws `FileError`.
   */
  giveSpaceAway(max: number): readonly GivenAway[] {
    if (this.#toGive.length === 0) this.#giveFileUp();
    return this.#toGive.splice(0, max);
  }

  /** What there is, and how far a rebuild is. */
  get facts(): TrunkFacts {
    let files = 0;
    let unknownFiles = 0;
    let totalBytes = 0;
    let freeBytes = 0;
    for (const { file, free, late } of this.space.files) {
      files += 1;
      if (free === undefined) unknownFiles += 1;
      totalBytes += file.sizeBytes;
      freeBytes += (free?.bytes ?? 0) + late.bytes;
    }
    return { files, totalBytes, freeBytes, unknownFiles, rebuild: this.rebuild.facts };
  }

  /** Throws `FileError`. */
  close(): void {
    this.upkeep.stop();
    this.unused.stop();
    this.unflushed.close();
    this.#log.close();
    this.descriptors.close();
  }

  /** Notes what is free in the active files, as of that position. Throws `FileError`. */
  #note(position: BinlogPosition): void {
    const note = this.#noteFor(position);
    if (note === undefined) return;
    this.notes.writeOpen(note);
    this.isNoted = true;
  }

  /** Undefined where there is nothing to note, and nothing noted. */
  #noteFor(position: BinlogPosition): TrunkOpenNote | undefined {
    this.#log.write();
    this.upkeep.logGrew();
    const { active } = this.space;
    if (active.length === 0 && !this.isNoted) return undefined;
    const open = active.map((space) => ({ file: space.file, free: this.#withoutRecord(space) }));
    return { position, open };
  }

  #giveFileUp(): void {
    for (const space of this.space.files) {
      const { free, file } = space;
      const isInUse = space.use === "busy" || this.space.isHeld(space) || this.isClaimed(space);
      if (free === undefined || free.count === 0 || isInUse) continue;
      this.space.forget(space);
      this.#log.note("used", file, { offset: 0, size: file.sizeBytes });
      this.noteFiles();
      this.#note(this.#settled());
      const { id: fileId, high, low } = file;
      for (const { offset, size } of free) this.#toGive.push({ fileId, high, low, offset, size });
      return;
    }
  }

  /** What of a file is free as far as the records go. */
  #withoutRecord(space: TrunkFileSpace): FreeExtents {
    const free = new FreeExtents(space.free ?? []);
    for (const claim of this.#claimed) {
      if (claim.space === space) free.merge(claim.slot.offset, claim.slot.size);
    }
    return free;
  }

  /** A slot of it is given out, and neither recorded nor given back. */
  isClaimed(space: TrunkFileSpace): boolean {
    for (const claim of this.#claimed) if (claim.space === space) return true;
    return false;
  }

  #tryClear(region: SlotRegion): boolean {
    try {
      this.unflushed.add(region.path);
      return this.clear(region);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const { path, offset } = region;
      this.#parts.log.warn("slot-not-cleared", { path, offset, problem: error.message });
      return false;
    }
  }

  /** An active file with room for a slot of this size: one that has been in use, or a new one. */
  #makeRoom(slotBytes: number): boolean {
    const { log, clock } = this.#parts;
    if (clock.monotonicMs() < this.#retryAtMs) return false;
    try {
      return this.#reuse(slotBytes) || this.#make(slotBytes);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#retryAtMs = clock.monotonicMs() + retryMakingMs;
      log.warn("trunk-file-not-made", { problem: error.message });
      return false;
    }
  }

  #reuse(slotBytes: number): boolean {
    const isWorth = (space: TrunkFileSpace, free: FreeExtents): boolean =>
      free.bytes >= space.file.sizeBytes * minReusablePart && free.count <= maxActiveExtents;
    const unseen = this.space.roomiest(
      slotBytes,
      (space, free) => !space.verified && isWorth(space, free),
    );
    if (unseen !== undefined) this.upkeep.look(unseen);
    const space = this.space.roomiest(
      slotBytes,
      (each, free) => each.verified && isWorth(each, free),
    );
    if (space === undefined) return false;
    if (this.descriptors.peek(space.path) === undefined) {
      this.#parts.log.error("trunk-file-missing", { path: space.path });
      space.free = undefined;
      return false;
    }
    this.#activate(space);
    return true;
  }

  #make(slotBytes: number): boolean {
    const { trunkFileBytes } = this.#packing;
    const id = this.#lease.next;
    if (id === undefined || slotBytes > trunkFileBytes) {
      this.#lease.ask();
      // Not every file that comes is to look for room again.
      this.#retryAtMs = this.#parts.clock.monotonicMs() + retryRoomMs;
      return false;
    }
    const { high, low } = this.#parts.directories.chooseForTrunkFile(id);
    const file: TrunkFile = { id, high, low, sizeBytes: trunkFileBytes };
    this.#lease.take();
    const path = this.pathOf(file);
    if (this.#parts.files.stat(path, false) !== undefined) {
      this.#parts.log.error("trunk-file-there-already", { path });
      return this.#make(slotBytes);
    }
    const all = new FreeExtents([{ offset: 0, size: file.sizeBytes }]);
    const space = this.space.register(file, path, all);
    space.verified = true;
    this.#log.restate(file, [{ offset: 0, size: file.sizeBytes }]);
    try {
      this.noteFiles();
      this.#activate(space);
      makeTrunkFile(this.#parts, { path, ...file });
    } catch (error) {
      this.#unmake(space);
      throw error;
    }
    this.#parts.directories.advance();
    return true;
  }

  /** The disk refused: as if it had never been. Its number is not used again. */
  #unmake(space: TrunkFileSpace): void {
    const { files, log } = this.#parts;
    this.space.forget(space);
    try {
      files.remove(space.path);
      this.noteFiles();
      this.#note(this.#settled());
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // The notes speak of a file that is not there, or is empty: the next start sees that.
      log.warn("trunk-notes-not-written", { problem: error.message });
    }
  }

  /** Noted before the first slot is taken. */
  #activate(space: TrunkFileSpace): void {
    const active = this.space.active;
    if (active.length >= maxActiveFiles) {
      const least = active.reduce((a, b) => ((a.free?.bytes ?? 0) <= (b.free?.bytes ?? 0) ? a : b));
      // A slot without a record must be in a noted file.
      if (!this.isClaimed(least)) this.space.rest(least);
    }
    this.space.activate(space);
    try {
      this.#note(this.#settled());
    } catch (error) {
      this.space.rest(space);
      throw error;
    }
  }

  /** Notes which trunk files are ours. Throws `FileError`. */
  noteFiles(): void {
    this.notes.writeFiles([...this.space.files].map(({ file }) => file));
  }
}

/** With the header: most slots are no larger. */
const clearedAtOnce = 64 * 1024;
/** What a trunk file is rewritten into; there is one at a time. */
const temporaryName = "trunk.part";

function mayPack(settings: StorePathSettings, files: Files, directory: string): boolean {
  if (settings.readOnly || settings.packing === "off") return false;
  return settings.packing === "on" || files.isRotational(directory) === true;
}
