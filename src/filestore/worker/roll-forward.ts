/**
 * At a start: finishes what the binlog's tail says and the disk does not, or takes it back where nothing is staged to finish it with
 * (`create-recovery.ts`), and drops what no record speaks of. The tail are the records since the checkpoint, which only this engine
 * wrote; only the last record of a name can be half done. What runs here a second time, because the first run was interrupted, does
 * the same again. Worker thread.
 */
import type { BinlogRecord } from "#filestore/binlog/binlog-reader.ts";
import { sourceLine } from "#filestore/binlog/entry.ts";
import { comparePositions } from "#filestore/binlog/position.ts";
import { parseStagedName, type StagedName } from "#filestore/formats/staged-name.ts";
import { createdBy, settleCreated } from "#filestore/worker/create-recovery.ts";
import { type FilePlace, isMetadataBase, metadataPlace } from "#filestore/worker/file-layout.ts";
import { type LastEnd, PackedRecovery } from "#filestore/worker/packed-recovery.ts";
import { copySteps, flushFile, runToEnd, setSize } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { decodeBase, isTrunkBase } from "#model/file-id.ts";

export interface RollForwardReport {
  /** Changes that were recorded and are complete now. */
  readonly rolledForward: number;
  /** Staged files that were dropped, and parts of new files. */
  readonly swept: number;
}

/** Throws `FileError`. Directories and files that changed are flushed where the settings say so. */
export function rollForward(
  store: StorePath,
  tail: readonly BinlogRecord[],
  last: LastEnd = { clean: false, tailStart: undefined },
): RollForwardReport {
  return new RollForward(store, tail, last).run();
}

class RollForward {
  readonly #store: StorePath;
  /** By path; undefined for names that the last record gave away. */
  readonly #last = new Map<string, BinlogRecord | undefined>();
  readonly #places = new Map<string, FilePlace>();
  readonly #touched = new Set<string>();
  #rolledForward = 0;
  readonly #packed: PackedRecovery;
  #swept = 0;

  constructor(store: StorePath, tail: readonly BinlogRecord[], last: LastEnd) {
    this.#store = store;
    this.#packed = new PackedRecovery(store, tail, last);
    for (const record of tail) {
      this.#note(record.entry.name, record);
      if (record.entry.kind === "rename") this.#note(record.entry.oldName, undefined);
    }
  }

  run(): RollForwardReport {
    const { files, layout, flushed } = this.#store;
    for (const name of files.list(layout.tmp) ?? []) this.#settleStaged(name);
    for (const [path, record] of this.#last) {
      const place = this.#places.get(path);
      if (record !== undefined && place !== undefined) this.#settleRecord(place, record);
    }
    this.#settleCreated();
    this.#swept += this.#packed.finish();
    for (const { path } of this.#store.tree.takeUnflushed()) this.#touched.add(path);
    if (flushed) for (const directory of this.#touched) files.flushDirectory(directory);
    return { rolledForward: this.#rolledForward, swept: this.#swept };
  }

  #note(name: string, record: BinlogRecord | undefined): void {
    const place = this.#store.layout.find(name);
    if (place === undefined) return;
    this.#places.set(place.path, place);
    this.#last.set(place.path, record);
  }

  #settleStaged(name: string): void {
    const path = `${this.#store.layout.tmp}/${name}`;
    const staged = parseStagedName(name);
    if (staged !== undefined && staged.kind !== "part" && this.#use(path, staged)) {
      this.#rolledForward += 1;
      return;
    }
    if (this.#store.files.remove(path)) this.#swept += 1;
  }

  /** True where the staged file was what a record is about, and is used up. */
  #use(path: string, staged: Exclude<StagedName, { readonly kind: "part" }>): boolean {
    const place = this.#store.layout.placeOf(staged.place);
    const record = this.#last.get(place.path);
    if (record === undefined) return false;
    if (staged.kind === "bound" && comparePositions(staged.position, record.start) !== 0) {
      return false;
    }
    switch (record.entry.kind) {
      case "create":
      case "link":
      case "update":
        return this.#place(path, place, staged.kind);
      case "append":
      case "modify":
        return staged.kind === "bound" && this.#splice(path, place, record.entry);
      default:
        return false;
    }
  }

  #place(path: string, place: FilePlace, kind: "new" | "bound"): boolean {
    const { files, tree, layout } = this.#store;
    if (kind === "new") {
      // After a power cut both names of one file may be there: the new one counts.
      if (files.stat(place.path, false) !== undefined) return false;
      if (!this.#isWhole(path, place)) return false;
    }
    tree.ensure(place);
    files.rename(path, place.path);
    // After a power cut both may be names of one file, and renaming does nothing then.
    files.remove(path);
    this.#touched.add(layout.directoryOf(place));
    return true;
  }

  /** Without flushes a power cut may leave less than was written; where the name knows the size, that shows. */
  #isWhole(path: string, place: FilePlace): boolean {
    const size = decodeBase(place.base)?.size;
    return size === undefined || this.#store.files.stat(path, false)?.sizeBytes === size;
  }

  #splice(
    path: string,
    place: FilePlace,
    entry: { readonly offset: number; readonly length: number; readonly timestamp: number },
  ): boolean {
    const { files, flushed, staged } = this.#store;
    const { offset, length, timestamp } = entry;
    if (files.stat(place.path, false)?.kind !== "file") return false;
    if (files.stat(path, false)?.sizeBytes !== length) return false;
    const target = files.open(place.path, "read-write");
    try {
      runToEnd(copySteps(files, { from: path, to: target, offset, length }));
      files.setModified(place.path, timestamp);
      if (flushed) files.flush(target);
    } finally {
      files.close(target);
    }
    staged.drop(path);
    return true;
  }

  #settleRecord(place: FilePlace, record: BinlogRecord): void {
    const { entry } = record;
    let done = false;
    if (entry.kind === "delete") done = this.#remove(place, entry.replica);
    else if (entry.kind === "truncate") done = this.#truncate(place, entry);
    else if (entry.kind === "rename") done = this.#rename(place, entry.oldName);
    if (done) this.#rolledForward += 1;
  }

  /** What was not staged, or lost the staged file. */
  #settleCreated(): void {
    const created = [...this.#last].flatMap(([path, record]) => {
      const place = this.#places.get(path);
      if (record === undefined || place === undefined) return [];
      return createdBy(place, record) ?? [];
    });
    const removed = settleCreated(this.#store, created);
    for (const place of removed) this.#touched.add(this.#store.layout.directoryOf(place));
    this.#swept += removed.length;
  }

  /** The metadata of what a peer removed has a record of its own, which may be still to come. */
  #remove(place: FilePlace, replica: boolean): boolean {
    const removed = isTrunkBase(place.base)
      ? this.#packed.clear(place, replica)
      : this.#removeFile(place);
    if (replica) return removed;
    return this.#removeMetadata(place) || removed;
  }

  #removeFile(place: FilePlace): boolean {
    const { files, layout } = this.#store;
    const removed = files.remove(place.path);
    if (removed) this.#touched.add(layout.directoryOf(place));
    return removed;
  }

  /** The record of the metadata follows that of its file; a crash can leave the first alone. */
  #removeMetadata(file: FilePlace): boolean {
    const { files, layout, binlog, flushed, clock } = this.#store;
    const place = metadataPlace(file);
    if (isMetadataBase(file.base) || this.#last.get(place.path)?.entry.kind === "delete")
      return false;
    if (files.stat(place.path, false) === undefined) return false;
    binlog.append(sourceLine("delete", Math.floor(clock.nowMs() / 1000), place.name));
    if (flushed) binlog.flush();
    this.#touched.add(layout.directoryOf(place));
    return files.remove(place.path);
  }

  #truncate(
    place: FilePlace,
    entry: { readonly newSize: number; readonly timestamp: number },
  ): boolean {
    const { files, flushed } = this.#store;
    const stat = files.stat(place.path, false);
    if (stat?.kind !== "file") return false;
    const isCut = stat.sizeBytes === entry.newSize;
    if (isCut && stat.modifiedSeconds === entry.timestamp) return false;
    if (!isCut) setSize(files, place.path, entry.newSize);
    files.setModified(place.path, entry.timestamp);
    if (flushed) flushFile(files, place.path);
    return true;
  }

  #rename(place: FilePlace, oldName: string): boolean {
    const { files, layout } = this.#store;
    const old = layout.find(oldName);
    const oldStat = old === undefined ? undefined : files.stat(old.path, false);
    if (old === undefined || oldStat === undefined) return false;
    const newStat = files.stat(place.path, false);
    if (newStat === undefined) files.rename(old.path, place.path);
    // After a power cut both may be names of one file.
    else if (newStat.inode === oldStat.inode) files.remove(old.path);
    else return false;
    this.#touched.add(layout.directoryOf(place));
    return true;
  }
}
