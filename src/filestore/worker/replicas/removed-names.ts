/**
 * Names of files that were removed here lately, with the times of that. A peer may send a file that another one has deleted already,
 * late or again: such must not come back. Known are those of this run and of the end of the binlog; what is older is found by comparing
 * storages. Worker thread.
 */
import { binlogPath } from "#filestore/binlog/binlog-files.ts";
import type { BinlogWriter } from "#filestore/binlog/binlog-writer.ts";
import { type BinlogEntry, decodeEntry } from "#filestore/binlog/entry.ts";
import { timeOfChange } from "#filestore/file-version.ts";
import {
  type FileLayout,
  type FilePlace,
  isMetadataBase,
  ownerOfMetadata,
} from "#filestore/worker/file-layout.ts";
import { hasMadeTail } from "#model/file-base.ts";
import { decodeBase, normalBaseLength, trunkBaseLength } from "#model/file-id.ts";
import type { Files } from "#platform/files.ts";

/** Of each of two generations; the older one goes when the younger one is full. */
export const maxRemovedNames = 32_768;
/** The end of the binlog that is read when the first file comes from a peer: about 60,000 records, some ten milliseconds. */
export const removedSearchBytes = 4 * 1024 * 1024;

export interface RemovedNamesParts {
  readonly files: Files;
  readonly layout: Pick<FileLayout, "sync" | "find">;
  readonly binlog: Pick<BinlogWriter, "position">;
}

type NamedFile = Pick<FilePlace, "name" | "base">;

export interface Making {
  /** Unix seconds, of the file. */
  readonly timestamp: number;
  /** By a storage of ours, which makes nothing anew in the second of a removal (`timeOfNew`). Storages of C do. */
  readonly versioned?: boolean | undefined;
}

export class RemovedNames {
  readonly #parts: RemovedNamesParts;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #isLoaded = false;

  constructor(parts: RemovedNamesParts) {
    this.#parts = parts;
  }

  /** The name stands for nothing here any more, as a peer or a client wished. `timestamp`: Unix seconds. */
  note(name: string, timestamp: number): void {
    this.#young.set(name, Math.max(timestamp, this.#removedAt(name) ?? 0));
    if (this.#young.size < maxRemovedNames) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** There is such a file again, and it is to be. */
  forget(name: string): void {
    this.#young.delete(name);
    this.#old.delete(name);
  }

  /**
   * True where a file of this name that was made at `timestamp` at its source has been removed since. Most names are given once, so that
   * nothing of that name comes after its removal; those of slaves and metadata can be given again. Throws `FileError`.
   */
  covers({ name, base }: NamedFile, { timestamp, versioned = false }: Making): boolean {
    if (!this.#isLoaded) this.#load();
    const removed = this.#removedAt(name);
    if (removed !== undefined) {
      if (isGivenOnce(base) || timestamp < removed) return true;
      if (versioned && timestamp === removed) return true;
    }
    return this.coversOwner({ name, base }, { timestamp, versioned });
  }

  /** True for metadata of a file that was removed, and took its metadata along, of which nothing need have been here. As `covers`. */
  coversOwner({ name, base }: NamedFile, making: Making): boolean {
    if (!isMetadataBase(base)) return false;
    return this.covers({ name: ownerOfMetadata(name), base: ownerOfMetadata(base) }, making);
  }

  /**
   * The time of a slave or of metadata that is made here at `nowSeconds`: later than what was removed under its name, so that it is no
   * stale copy of that to anybody. Throws `FileError`.
   */
  timeOfNew({ name, base }: NamedFile, nowSeconds: number): number {
    if (!this.#isLoaded) this.#load();
    const names = isMetadataBase(base) ? [name, ownerOfMetadata(name)] : [name];
    const removals = names.map((each) => this.#removedAt(each) ?? -1);
    return timeOfChange(nowSeconds, Math.max(...removals), false);
  }

  #removedAt(name: string): number | undefined {
    const young = this.#young.size === 0 ? undefined : this.#young.get(name);
    return young ?? (this.#old.size === 0 ? undefined : this.#old.get(name));
  }

  /** What this run has noted is in the binlog as well, so that nothing is lost where that is read. */
  #load(): void {
    this.#isLoaded = true;
    const { files, layout, binlog } = this.#parts;
    const { index, offset } = binlog.position;
    let start = Math.max(0, offset - removedSearchBytes);
    const path = binlogPath(layout.sync, index);
    const before =
      index > 0 && offset < removedSearchBytes ? binlogPath(layout.sync, index - 1) : "";
    const sizeBefore = before === "" ? 0 : (files.stat(before, true)?.sizeBytes ?? 0);
    if (sizeBefore > 0) {
      const from = Math.max(0, sizeBefore - (removedSearchBytes - offset));
      this.#follow(before, from, sizeBefore);
      start = 0;
    }
    this.#follow(path, start, offset);
  }

  #follow(path: string, from: number, to: number): void {
    if (to <= from) return;
    const { files } = this.#parts;
    const descriptor = files.open(path, "read");
    try {
      const bytes = Buffer.allocUnsafe(to - from);
      const text = bytes.toString("latin1", 0, files.read(descriptor, bytes, from));
      for (const line of text.split("\n")) {
        const entry = decodeEntry(line);
        if (entry !== undefined) this.#followEntry(entry);
      }
    } finally {
      files.close(descriptor);
    }
  }

  #followEntry(entry: BinlogEntry): void {
    const { kind, timestamp, replica } = entry;
    if (kind === "delete") {
      // Without a time it only says that a crash took the file here.
      if (!replica || timestamp > 0) this.#noteRecord(entry.name, timestamp);
      return;
    }
    if (kind === "rename") this.#noteRecord(entry.oldName, timestamp);
    if (this.#young.size > 0 || this.#old.size > 0) this.#forgetRecord(entry.name);
  }

  #noteRecord(name: string, timestamp: number): void {
    const place = this.#parts.layout.find(name);
    if (place !== undefined) this.note(place.name, timestamp);
  }

  #forgetRecord(name: string): void {
    const place = this.#parts.layout.find(name);
    if (place !== undefined) this.forget(place.name);
  }
}

/** Names with random bits and digits of their own: of normal, appender and packed files. */
function isGivenOnce(base: string): boolean {
  if (base.length !== normalBaseLength && base.length !== trunkBaseLength) return false;
  if (!hasMadeTail(base)) return false;
  return decodeBase(base)?.isSlave === false;
}
