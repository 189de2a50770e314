/**
 * The trunk binlog of a group as this storage has it, with the snapshot of its free list and the marks of its readers (protocol §4.6, §4.7):
 * C's files in C's places below the first store path. Appended to by whole lines; a torn end, which a crash may leave, is cut off before the
 * first use. Worker thread of store path 0; failures are `FileError`s.
 */
import type { Log } from "#base/log.ts";
import { replaceFile } from "#filestore/binlog/binlog-files.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { makeIfMissing } from "#filestore/worker/directory-tree.ts";
import { OwedNewsFile } from "#filestore/worker/owed-news-file.ts";
import { TrunkCompression } from "#filestore/worker/trunk-compression.ts";
import { TrunkFiles } from "#filestore/worker/trunk-files.ts";
import { type SnapshotPiece, TrunkSnapshotFile } from "#filestore/worker/trunk-snapshot-file.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

export interface TrunkBinlogParts {
  readonly files: Files;
  readonly log: Log;
  /** `data` of the store path, and the directory below it that is ours alone. */
  readonly data: string;
  readonly own: string;
  /** What was appended is flushed before it counts. */
  readonly flushed: boolean;
}

/** A torn line is shorter. */
const longestLineBytes = 256;
const maxMarkBytes = 256;

export class TrunkBinlogFile {
  /** What its trunk server has still to be told. */
  readonly owed: OwedNewsFile;
  readonly #parts: TrunkBinlogParts;
  readonly #places: TrunkFiles;
  readonly #compression: TrunkCompression;
  readonly #snapshot: TrunkSnapshotFile;
  #descriptor: FileDescriptor | undefined;
  #size = 0;
  #compressing = false;

  constructor(parts: TrunkBinlogParts) {
    this.#parts = parts;
    this.owed = new OwedNewsFile(parts);
    this.#places = new TrunkFiles(parts.data, parts.own);
    this.#snapshot = new TrunkSnapshotFile(parts, this.#places);
    this.#compression = new TrunkCompression(parts, this.#places, {
      close: () => this.close(),
      size: () => this.size(),
    });
  }

  /** Bytes; 0 where nothing was ever written. */
  size(): number {
    this.#open();
    return this.#size;
  }

  /** `lines` are whole ones. Returns the new size. */
  append(lines: Uint8Array): number {
    const { files, flushed } = this.#parts;
    const descriptor = this.#open();
    try {
      files.write(descriptor, lines);
      if (flushed) files.flush(descriptor);
    } catch (error) {
      // A part may stand there: what follows must not be glued to it.
      this.close();
      throw error;
    }
    this.#size += lines.length;
    return this.#size;
  }

  /** Reads from `offset` into `target`. Undefined where there is no such file; names are `binlog`, `snapshot`, `owed`, `….mark`. */
  read(
    name: string,
    target: Uint8Array,
    offset: number,
  ): { readonly size: number; readonly length: number } | undefined {
    const { files } = this.#parts;
    const path = this.#places.named(name);
    if (name === "binlog") this.#open();
    const stat = files.stat(path, true);
    if (stat?.kind !== "file") return undefined;
    const descriptor = files.open(path, "read");
    try {
      const size = files.statDescriptor(descriptor).sizeBytes;
      return { size, length: files.read(descriptor, target, offset) };
    } finally {
      files.close(descriptor);
    }
  }

  /** False where the binlog is not, or no longer, what the snapshot holds for. */
  writeSnapshot(piece: SnapshotPiece): boolean {
    if (this.#compressing) return false;
    return this.#snapshot.write(piece, this.size());
  }

  /** Where a reader stands: a small text, replaced as a whole. A lost one only makes that reader start anew, hence it is not flushed for long. */
  writeMark(name: string, text: Uint8Array): void {
    this.#open();
    const path = this.#places.named(name);
    const content = Buffer.from(text.subarray(0, maxMarkBytes)).toString("latin1");
    replaceFile(this.#parts.files, path, { temporary: `${path}.tmp`, text: content });
  }

  /** The binlog begins anew (33); the old one is kept as a backup where `maxBackups` > 0. */
  reset(maxBackups: number, nowSeconds: number): void {
    const { files } = this.#parts;
    this.#requireRest();
    this.#open();
    this.close();
    this.#snapshot.giveUp();
    files.remove(this.#places.snapshot);
    if (maxBackups > 0) this.#places.backUp(files, this.#places.binlog, { maxBackups, nowSeconds });
    else files.remove(this.#places.binlog);
    files.flushDirectory(this.#places.trunk);
    this.#open();
  }

  /** This storage is to become the trunk server in the place of another: nobody has read its binlog (32). */
  forget(): void {
    const { files } = this.#parts;
    this.#requireRest();
    this.#open();
    this.#snapshot.giveUp();
    files.remove(this.#places.snapshot);
    this.#places.removeMarks(files);
  }

  /**
   * Writes the binlog anew with what is free now, in steps of bounded size; lines that are appended meanwhile are in it. All marks are gone
   * afterwards. Returns the new size.
   */
  *compress(maxBackups: number, nowSeconds: number): Generator<void, number> {
    this.#open();
    if (this.#compressing) return this.#size;
    this.#compressing = true;
    this.#snapshot.giveUp();
    try {
      yield* this.#compression.run({ maxBackups, nowSeconds });
    } finally {
      this.#compressing = false;
      // What was given up in the middle is settled when the binlog is needed again.
      this.close();
    }
    return this.size();
  }

  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) this.#parts.files.close(descriptor);
  }

  #requireRest(): void {
    if (!this.#compressing) return;
    throw fileStoreError(
      "store-path-busy",
      "the trunk binlog is being compressed: ask again later",
    );
  }

  #open(): FileDescriptor {
    if (this.#descriptor !== undefined) return this.#descriptor;
    const { files } = this.#parts;
    if (files.stat(this.#places.trunk, true) === undefined) {
      makeIfMissing(files, this.#places.trunk);
      files.flushDirectory(this.#parts.data);
    }
    if (!this.#compressing) this.#compression.recover();
    const isNew = files.stat(this.#places.binlog, true) === undefined;
    const descriptor = files.open(this.#places.binlog, "append");
    try {
      if (isNew) files.flushDirectory(this.#places.trunk);
      this.#size = this.#cutTornEnd(files.statDescriptor(descriptor).sizeBytes);
      if (!this.#compressing) this.#snapshot.check(this.#size);
    } catch (error) {
      files.close(descriptor);
      throw error;
    }
    this.#descriptor = descriptor;
    return descriptor;
  }

  #cutTornEnd(size: number): number {
    const { files, log } = this.#parts;
    const tail = Buffer.alloc(Math.min(size, longestLineBytes));
    const descriptor = files.open(this.#places.binlog, "read-write");
    try {
      files.read(descriptor, tail, size - tail.length);
      const whole = tail.lastIndexOf(0x0a) + 1;
      if (whole === tail.length) return size;
      const end = size - tail.length + whole;
      log.warn("trunk-binlog-torn", { bytes: size - end });
      files.truncate(descriptor, end);
      return end;
    } finally {
      files.close(descriptor);
    }
  }
}
