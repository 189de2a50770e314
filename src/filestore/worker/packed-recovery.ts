/**
 * At a start: brings trunk files and records together again. A slot is a file exactly where a record says so. What stands in the files
 * that slots were taken from and has no record is overwritten by zeros; what has a record and is not whole, as a power cut can leave
 * of the last commit, and without flushes of more, gets a further record that says so; what was deleted is cleared. From that follows what is free. Worker thread.
 */
import { crc32 } from "node:zlib";
import type { BinlogRecord } from "#filestore/binlog/binlog-reader.ts";
import { neverHereLine } from "#filestore/binlog/entry.ts";
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import {
  maxBytesWithRecords,
  maxCheckedBytes,
  maxFilesWithRecords,
} from "#filestore/trunk/limits.ts";
import type { SlotRegion } from "#filestore/trunk/packed-files.ts";
import type { TrunkFile } from "#filestore/trunk/trunk-space.ts";
import { clearRegion } from "#filestore/trunk/trunk-zeros.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import {
  readSlot,
  slotOfEntry,
  slotPlace,
  type TrunkSlotPlace,
} from "#filestore/worker/trunk-slot.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import type { FileDescriptor } from "#platform/files.ts";

/** How the last run of the engine ended. */
export interface LastEnd {
  readonly clean: boolean;
  /** Where the tail of records begins. */
  readonly tailStart: BinlogPosition | undefined;
}

interface OpenFile {
  readonly file: TrunkFile;
  readonly free: FreeExtents;
}

interface LiveSlot {
  readonly slot: TrunkSlotPlace;
  readonly record: BinlogRecord;
}

export class PackedRecovery {
  readonly #store: StorePath;
  readonly #last: LastEnd;
  readonly #tail: readonly BinlogRecord[];
  /** Files that slots were taken from, by their paths. */
  readonly #open = new Map<string, OpenFile>();
  /** What the tail says is there, by name, the latest last. */
  readonly #live = new Map<string, LiveSlot>();
  /** The space of those, by the paths of their files. */
  readonly #taken = new Map<string, FreeExtents>();
  readonly #written = new Set<string>();
  /** Our trunk files are not those that are noted. */
  #isNoteOld = false;
  #isListLost = false;

  constructor(store: StorePath, tail: readonly BinlogRecord[], last: LastEnd) {
    this.#store = store;
    this.#last = last;
    this.#tail = tail;
    const position = this.#readNotes();
    for (const record of tail) this.#follow(record, position);
  }

  /** Clears the slot of a deleted file, but for what has been given to others since. True where there was something to clear. */
  clear(place: FilePlace, replica: boolean): boolean {
    const slot = slotPlace(this.#store.layout, place);
    if (slot === undefined || (replica && !this.#isNamed(slot))) return false;
    const { path, fileId, offset, size } = slot;
    let cleared = false;
    for (const gap of this.#taken.get(path)?.gaps(offset, size) ?? [{ offset, size }]) {
      cleared = this.#makeZeros({ path, fileId, ...gap }) || cleared;
    }
    return cleared;
  }

  /** Settles everything that is packed; returns how many slots had no record. Throws `FileError`. */
  finish(): number {
    this.#checkLive();
    let swept = 0;
    for (const { file, free } of this.#open.values()) {
      if (!this.#last.clean) swept += this.#sweep(file, free);
      this.#register(file, free);
    }
    if (!this.#last.clean) this.#followResting();
    const { clean } = this.#last;
    this.#store.packed.upkeep.load({ clean, tellsOwn: this.#isListLost });
    this.#flushWritten();
    if (this.#isNoteOld) this.#store.packed.noteFiles();
    return swept;
  }

  /** Registers our own trunk files; returns from where on records are to be followed. */
  #readNotes(): BinlogPosition | undefined {
    const { packed, log } = this.#store;
    const owned = packed.notes.readFiles();
    if (owned !== undefined && !owned.whole) log.error("trunk-files-damaged", {});
    this.#isListLost = owned?.whole !== true;
    const note = packed.notes.readOpen();
    packed.isNoted = note !== undefined;
    const isKnown = note !== undefined && note !== "damaged" && this.#isCovered(note.position);
    if (note !== undefined && !isKnown) log.error("trunk-open-damaged", {});
    const open = isKnown ? note.open : [];
    for (const each of open) {
      const path = packed.pathOf(each.file);
      if (this.#restore(each.file, path)) this.#open.set(path, each);
      else this.#isNoteOld = true;
    }
    for (const file of owned?.files ?? []) {
      if (open.some((each) => each.file.id === file.id)) continue;
      packed.space.register(file, packed.pathOf(file));
    }
    return isKnown ? note.position : undefined;
  }

  /** The records since then are all in the tail; those before it are all there. */
  #isCovered(position: BinlogPosition): boolean {
    const { clean, tailStart } = this.#last;
    if (comparePositions(position, this.#store.binlog.position) > 0) return false;
    if (clean) return true;
    return tailStart !== undefined && comparePositions(tailStart, position) <= 0;
  }

  /**
   * A file that was being made may have no size yet. One that is shorter than it was is damaged: filled up with zeros, it would give
   * zeros for the content of the slot at its end. Nothing is stored in it any more.
   */
  #restore(file: TrunkFile, path: string): boolean {
    const { files, log } = this.#store;
    const stat = files.stat(path, true);
    if (stat?.kind !== "file") return false;
    const missing = file.sizeBytes - stat.sizeBytes;
    if (missing <= 0) return true;
    if (stat.sizeBytes > 0) {
      log.error("trunk-file-damaged", { path, bytes: missing, first: stat.sizeBytes });
      return false;
    }
    const descriptor = this.#descriptor(path);
    if (descriptor === undefined) return false;
    files.truncate(descriptor, file.sizeBytes);
    this.#written.add(path);
    return true;
  }

  #follow(record: BinlogRecord, position: BinlogPosition | undefined): void {
    const slot = this.#slotOf(record);
    if (slot === undefined) return;
    const { kind, name } = record.entry;
    const isThere = kind !== "delete";
    this.#live.delete(name);
    if (isThere) this.#live.set(name, { slot, record });
    if (isThere) this.#takenIn(slot.path).merge(slot.offset, slot.size);
    else this.#takenIn(slot.path).remove(slot.offset, slot.size);
    const isNew = position === undefined || comparePositions(record.start, position) >= 0;
    const open = isNew ? this.#open.get(slot.path) : undefined;
    if (isThere) open?.free.remove(slot.offset, slot.size);
    else open?.free.merge(slot.offset, slot.size);
  }

  #slotOf({ entry }: BinlogRecord): TrunkSlotPlace | undefined {
    return slotOfEntry(this.#store.layout, entry);
  }

  /** What is freed in files that rest is told to them in the order in which it happened. */
  #followResting(): void {
    const { packed } = this.#store;
    for (const record of this.#tail) {
      const slot = this.#slotOf(record);
      const space = slot === undefined ? undefined : packed.space.find(slot.fileId);
      if (slot === undefined || space?.use !== "resting") continue;
      packed.followed(record.entry.kind === "delete" ? "free" : "used", space, slot);
    }
  }

  #takenIn(path: string): FreeExtents {
    const there = this.#taken.get(path) ?? new FreeExtents();
    this.#taken.set(path, there);
    return there;
  }

  /**
   * Records without their content. With flushes only the last commit can leave such: nobody was told of its files, and there are no
   * more of them than are looked at. Without flushes a power cut leaves any number.
   */
  #checkLive(): void {
    const { binlog, flushed, log } = this.#store;
    let budget = flushed ? maxBytesWithRecords : maxCheckedBytes;
    let files = flushed ? maxFilesWithRecords : Number.POSITIVE_INFINITY;
    let lines = "";
    for (const { slot, record } of [...this.#live.values()].reverse()) {
      if (record.entry.kind !== "create") continue;
      const checksContent = files > 0 && slot.sizeBytes <= budget;
      files -= 1;
      if (checksContent) budget -= slot.sizeBytes;
      if (this.#isWhole(slot, checksContent)) continue;
      const { name, replica } = record.entry;
      this.#live.delete(name);
      // A peer's slot may have been taken by a file that was made later.
      if (!replica || this.#isNamed(slot)) {
        // Without flushes it may have been acknowledged, and a peer have it: it comes back into its slot, which nobody else is to have.
        if (flushed) this.#open.get(slot.path)?.free.merge(slot.offset, slot.size);
        this.#makeZeros(slot);
      }
      // No deletion: peers may have the file whole, and are sent nothing of this.
      lines += neverHereLine(name);
    }
    if (lines === "") return;
    log.error("packed-files-lost", { files: lines.split("\n").length - 1 });
    binlog.append(lines);
    if (flushed) binlog.flush();
  }

  #isNamed(slot: TrunkSlotPlace): boolean {
    return readSlot(this.#store, slot, Buffer.allocUnsafe(trunkHeaderSize)) !== undefined;
  }

  #isWhole(slot: TrunkSlotPlace, checksContent: boolean): boolean {
    const header = Buffer.allocUnsafe(trunkHeaderSize);
    const found = readSlot(this.#store, slot, header);
    if (found === undefined) return false;
    if (!checksContent || found.content === "link") return true;
    const descriptor = this.#descriptor(slot.path);
    if (descriptor === undefined) return false;
    const buffer = Buffer.allocUnsafe(Math.min(stepBytes, slot.sizeBytes));
    let crc = 0;
    for (let done = 0; done < slot.sizeBytes; ) {
      const wanted = buffer.subarray(0, Math.min(buffer.length, slot.sizeBytes - done));
      const got = this.#store.files.read(descriptor, wanted, slot.contentOffset + done);
      if (got === 0) return false;
      crc = crc32(wanted.subarray(0, got), crc);
      done += got;
    }
    return crc === slot.decoded.crc32;
  }

  /** What stands where nothing is: slots that were written before their record was, and never got one. */
  #sweep(file: TrunkFile, free: FreeExtents): number {
    const path = this.#store.packed.pathOf(file);
    let swept = 0;
    for (const { offset, size } of free) {
      if (this.#makeZeros({ path, fileId: file.id, offset, size })) swept += 1;
    }
    return swept;
  }

  #register(file: TrunkFile, free: FreeExtents): void {
    const { packed } = this.#store;
    const space = packed.space.register(file, packed.pathOf(file), free);
    space.verified = true;
    packed.space.activate(space);
    if (!this.#last.clean) packed.upkeep.restate(space);
  }

  #makeZeros(region: SlotRegion): boolean {
    const descriptor = this.#descriptor(region.path);
    if (descriptor === undefined || !clearRegion(this.#store.files, descriptor, region))
      return false;
    this.#written.add(region.path);
    return true;
  }

  #descriptor(path: string): FileDescriptor | undefined {
    return this.#store.packed.descriptors.peek(path);
  }

  #flushWritten(): void {
    if (!this.#store.flushed) return;
    for (const path of this.#written) {
      const descriptor = this.#descriptor(path);
      if (descriptor !== undefined) this.#store.files.flush(descriptor);
    }
  }
}
