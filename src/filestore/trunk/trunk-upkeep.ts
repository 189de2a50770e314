/**
 * What is done to trunk files in the background, a bounded step at a time: reading the trunk log after a start, looking through files
 * whose free space is not certain, writing the log anew, making files sparse that are mostly holes, deleting those with nothing in them.
 * Ids contain offsets, so that no slot ever moves: a file is made sparse by copying its slots to their places in a new file, which then
 * takes its name. What is deleted meanwhile is deleted in both. Worker thread.
 */
import type { Log } from "#base/log.ts";
import { maxTrunkFileBytes } from "#filestore/packing.ts";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import {
  maxExtentsInMemory,
  minCompactablePart,
  minReclaimedPart,
  upkeepPauseMs,
} from "#filestore/trunk/limits.ts";
import { type SlotWalkResult, walkSlots } from "#filestore/trunk/slot-walk.ts";
import { copyUsed, type UsedCopy } from "#filestore/trunk/sparse-copy.ts";
import type { TrunkDescriptors } from "#filestore/trunk/trunk-descriptors.ts";
import type { TrunkLog } from "#filestore/trunk/trunk-log.ts";
import type { TrunkFile, TrunkFileSpace, TrunkSpace } from "#filestore/trunk/trunk-space.ts";
import type { BackgroundWork } from "#filestore/worker/background-turns.ts";
import { isFull } from "#filestore/worker/disk-failure.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";
import { FileError, type Files } from "#platform/files.ts";

export interface TrunkUpkeepParts {
  readonly files: Files;
  readonly log: Log;
  readonly space: TrunkSpace;
  readonly trunkLog: TrunkLog;
  readonly descriptors: TrunkDescriptors;
  readonly pathOf: (file: Pick<TrunkFile, "id" | "high" | "low">) => string;
  /** A name for a temporary file, which a start removes. */
  readonly newTemporary: () => string;
  /** Notes which trunk files are ours. Throws `FileError`. */
  readonly noteFiles: () => void;
  /** The file of that path is gone. */
  readonly onRemoved: (path: string) => void;
}

/** How the trunk log is to be read after a start. */
export interface LogTrust {
  /** What it says is free needs no second look: the last end was an orderly one. */
  readonly clean: boolean;
  /** The list of our own trunk files is lost: those that the log knows room in are ours. */
  readonly tellsOwn: boolean;
}

export class TrunkUpkeep implements BackgroundWork {
  readonly #parts: TrunkUpkeepParts;
  /** The log is still to be read; `trusted` where what it says needs no second look. */
  #toLoad: LogTrust | undefined;
  readonly #toLook = new Set<TrunkFileSpace>();
  readonly #changed = new Set<TrunkFileSpace>();
  #logGrew = false;
  #steps: Generator<void, void> | undefined;
  /** The file that is being made sparse. */
  #copy: UsedCopy | undefined;

  constructor(parts: TrunkUpkeepParts) {
    this.#parts = parts;
  }

  /** The files that rest get their free space from the log, in the background. */
  load(trust: LogTrust): void {
    this.#toLoad = trust;
  }

  /** The log may have grown long. */
  logGrew(): void {
    this.#logGrew = true;
  }

  /** What the log says of the file may be wrong. */
  restate(space: TrunkFileSpace): void {
    this.#parts.trunkLog.restate(space.file, space.free ?? []);
  }

  /** The file's free space is to be found by a walk. */
  look(space: TrunkFileSpace): void {
    this.#toLook.add(space);
  }

  /** Something was deleted in the file. */
  changed(space: TrunkFileSpace): void {
    const { free, file, use } = space;
    if (use !== "resting" || free === undefined) return;
    if (free.bytes >= file.sizeBytes * minCompactablePart) this.#changed.add(space);
  }

  /** The disk is full: files that slots are taken from go as well where nothing is in them. */
  restEmpty(): void {
    const { space } = this.#parts;
    const empty = space.active.filter(({ free, file }) => free?.bytes === file.sizeBytes);
    for (const each of empty) {
      space.rest(each);
      this.changed(each);
    }
  }

  /** A slot was overwritten by zeros. */
  cleared(region: {
    readonly fileId: number;
    readonly offset: number;
    readonly size: number;
  }): void {
    if (this.#copy?.fileId === region.fileId) this.#copy.cleared.push(region);
  }

  /** One step; as `BackgroundWork` has it. */
  step(): number | undefined {
    this.#steps ??= this.#hasWork ? this.#work() : undefined;
    if (this.#steps === undefined) return undefined;
    try {
      if (this.#steps.next().done === true) this.#steps = undefined;
    } catch (error) {
      this.#steps = undefined;
      if (!(error instanceof FileError)) throw error;
      this.#parts.log.warn("trunk-upkeep-failed", { problem: error.message });
    }
    return this.#steps !== undefined || this.#hasWork ? upkeepPauseMs : undefined;
  }

  /** Leaves what is under way; the next start does it again. */
  stop(): void {
    this.#toLook.clear();
    this.#changed.clear();
    this.#steps?.return();
    this.#steps = undefined;
  }

  /**
   * Looks through one file, in steps, and takes what it finds for true; undefined where the file is in use, or gone. `onSlot` is told where
   * its slots begin. Throws `FileError`.
   */
  *walk(
    space: TrunkFileSpace,
    onSlot: (offset: number) => void = () => {},
  ): Generator<void, SlotWalkResult | undefined> {
    const { files, log, descriptors } = this.#parts;
    if (space.use !== "resting") return undefined;
    const { path } = space;
    const lent = descriptors.lend(path);
    if (lent === undefined) {
      log.error("trunk-file-missing", { path });
      this.#learn(space, new FreeExtents(), false);
      return undefined;
    }
    space.use = "busy";
    try {
      const buffer = Buffer.allocUnsafe(walkBytes);
      const { sizeBytes } = space.file;
      const result = yield* walkSlots({
        read: (offset, length) => {
          const wanted = buffer.subarray(0, length);
          return wanted.subarray(0, files.read(lent.descriptor, wanted, offset));
        },
        sizeBytes,
        actualBytes: files.statDescriptor(lent.descriptor).sizeBytes,
        slotMinBytes: smallestExtent,
        onSlot,
      });
      const { damagedBytes, damaged } = result;
      if (damagedBytes > 0) {
        log.error("trunk-file-damaged", { path, bytes: damagedBytes, first: damaged[0]?.offset });
      }
      this.#learn(space, result.free, true);
      return result;
    } finally {
      if (space.use === "busy") space.use = "resting";
      descriptors.giveBack(lent);
    }
  }

  get #hasWork(): boolean {
    const isToRead = this.#toLoad !== undefined || this.#toLook.size > 0;
    return isToRead || this.#changed.size > 0 || this.#logGrew;
  }

  *#work(): Generator<void, void> {
    if (this.#toLoad !== undefined) yield* this.#load(this.#toLoad);
    for (const space of this.#toLook) {
      this.#toLook.delete(space);
      yield* this.walk(space);
    }
    for (const space of this.#changed) {
      this.#changed.delete(space);
      yield* this.#tidy(space);
      yield;
    }
    this.#logGrew = false;
    this.#forgetSomeExtents();
    const { trunkLog, space } = this.#parts;
    if (trunkLog.isWorthCompressing(this.#countExtents())) yield* trunkLog.compress(space);
  }

  *#load({ clean, tellsOwn }: LogTrust): Generator<void, void> {
    const { space, trunkLog, log } = this.#parts;
    const found = new Map<number, FreeExtents>();
    const places = new Map<number, TrunkLocation>();
    const whole = yield* trunkLog.read((kind, location) => {
      const { fileId, offset, size } = location;
      if (space.find(fileId) === undefined && !tellsOwn) return;
      const free = found.get(fileId) ?? new FreeExtents();
      found.set(fileId, free);
      places.set(fileId, location);
      if (kind === "free") free.merge(offset, size);
      else free.remove(offset, size);
    });
    this.#toLoad = undefined;
    if (tellsOwn) this.#takeOwn(found, places);
    let unknown = 0;
    for (const each of space.files) {
      if (each.free !== undefined) continue;
      if (whole) space.learn(each, found.get(each.file.id) ?? new FreeExtents(), clean);
      else {
        this.#toLook.add(each);
        unknown += 1;
      }
      if (each.free !== undefined) this.changed(each);
    }
    if (unknown > 0) log.warn("trunk-log-lost", { files: unknown });
  }

  #takeOwn(
    found: ReadonlyMap<number, FreeExtents>,
    places: ReadonlyMap<number, TrunkLocation>,
  ): void {
    const { files, space, pathOf, noteFiles } = this.#parts;
    let isNew = false;
    for (const [id, { high, low }] of places) {
      const path = pathOf({ id, high, low });
      const stat = files.stat(path, true);
      if (space.find(id) !== undefined || found.get(id)?.count === 0) continue;
      if (stat?.kind !== "file" || stat.sizeBytes > maxTrunkFileBytes) continue;
      space.register({ id, high, low, sizeBytes: stat.sizeBytes }, path);
      isNew = true;
    }
    if (isNew) noteFiles();
  }

  /** What was found is what counts from now on, for the log as well. */
  #learn(space: TrunkFileSpace, free: FreeExtents, verified: boolean): void {
    const { space: all, trunkLog } = this.#parts;
    all.learn(space, free, verified);
    trunkLog.restate(space.file, free);
    space.use = "resting";
    this.changed(space);
  }

  /** A file that is mostly free: deleted where nothing is in it, made sparse where that gives much back. */
  *#tidy(space: TrunkFileSpace): Generator<void, void> {
    if (this.#parts.space.find(space.file.id) !== space) return;
    if (space.use !== "resting" || space.free === undefined) return;
    if (!space.verified) yield* this.walk(space);
    const { free, file } = space;
    if (!space.verified || free === undefined) return;
    if (free.bytes === file.sizeBytes) this.#remove(space);
    else if (free.bytes >= file.sizeBytes * minCompactablePart) yield* this.#compact(space, free);
  }

  #remove(space: TrunkFileSpace): void {
    const { files, log, descriptors, trunkLog, space: all, noteFiles, onRemoved } = this.#parts;
    const { path } = space;
    all.forget(space);
    const isNoted = this.#tryNote();
    descriptors.drop(path);
    files.remove(path);
    onRemoved(path);
    if (!isNoted) noteFiles();
    trunkLog.note("used", space.file, { offset: 0, size: space.file.sizeBytes });
    log.debug("trunk-file-removed", { path });
  }

  /** False where a full disk has no room for the note before the file is gone. Throws `FileError`. */
  #tryNote(): boolean {
    try {
      this.#parts.noteFiles();
      return true;
    } catch (error) {
      if (isFull(error)) return false;
      throw error;
    }
  }

  *#compact(space: TrunkFileSpace, free: FreeExtents): Generator<void, void> {
    const { files, log, descriptors, newTemporary } = this.#parts;
    const { file, path } = space;
    const allocated = files.stat(path, false)?.allocatedBytes ?? 0;
    const reclaimed = allocated - (file.sizeBytes - free.bytes);
    if (reclaimed < file.sizeBytes * minReclaimedPart) return;
    const copy: UsedCopy = { from: path, to: newTemporary(), fileId: file.id, cleared: [] };
    space.use = "busy";
    this.#copy = copy;
    try {
      yield* copyUsed(files, copy, { file, free: [...free] });
      log.notice("trunk-file-compacted", { path, bytes: reclaimed });
    } finally {
      // Whether or not the copy got the name: after a failure nobody knows.
      descriptors.drop(path);
      this.#copy = undefined;
      space.use = "resting";
      if (space.free !== undefined) this.#parts.space.learn(space, space.free, true);
    }
  }

  #countExtents(): number {
    let count = 0;
    for (const { free } of this.#parts.space.files) count += free?.count ?? 0;
    return count;
  }

  /** Those of the files with least room go first; a walk finds them again. */
  #forgetSomeExtents(): void {
    let left = this.#countExtents() - maxExtentsInMemory;
    if (left <= 0) return;
    const resting = [...this.#parts.space.files].filter(({ use }) => use === "resting");
    resting.sort((a, b) => (a.free?.bytes ?? 0) - (b.free?.bytes ?? 0));
    for (const space of resting) {
      if (left <= 0) return;
      left -= space.free?.count ?? 0;
      space.free = undefined;
    }
  }
}

const walkBytes = 1024 * 1024;
/** Shorter runs of zeros than any slot are not worth keeping. */
const smallestExtent = 32;
