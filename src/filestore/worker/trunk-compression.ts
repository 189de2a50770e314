/**
 * Writes a trunk binlog anew with nothing but what is free (protocol §4.6). The old one is put aside; what its lines leave free, and the lines
 * that were written meanwhile, become the new one. How far that has come is noted on the disk before each step that cannot be told from the
 * files alone: until the new binlog is whole, an interrupted run is rolled back, afterwards it is completed. A whole binlog tells everything,
 * so that a snapshot may be dropped at any time. Worker thread; failures are `FileError`s.
 */
import type { Log } from "#base/log.ts";
import { readSmallFile, replaceFile } from "#filestore/binlog/binlog-files.ts";
import { fileStoreError } from "#filestore/errors.ts";
import {
  formatKeyValueLines,
  parseCount,
  parseKeyValueLines,
} from "#filestore/formats/key-value-lines.ts";
import { trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { GroupAllocator, maxGroupSlots, type SlotRules } from "#filestore/trunk/group-allocator.ts";
import { TrunkLogReplay } from "#filestore/trunk/trunk-log-replay.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import type { TrunkFiles } from "#filestore/worker/trunk-files.ts";
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";

/** C's numbers of the stages (`trunk_binlog_compress_stage`). */
const stages = { none: 0, begun: 1, merging: 4, merged: 5, rollingBack: 7, rolledBack: 8 } as const;
type Stage = (typeof stages)[keyof typeof stages];

/** Only replays: nothing is allocated. */
const anyRules: SlotRules = {
  slotMinBytes: 1,
  slotMaxBytes: 1,
  alignmentBytes: 0,
  trunkFileBytes: 1,
};
const maxStageBytes = 64;
/** Lines are written in pieces of about this many. */
const linesAtOnce = 4096;

export interface CompressionParts {
  readonly files: Files;
  readonly log: Log;
}

/** The binlog that is being written meanwhile. */
interface OpenBinlog {
  /** Lets go of the file, which is opened again when it is needed. */
  close(): void;
  size(): number;
}

export interface CompressionOptions {
  readonly maxBackups: number;
  readonly nowSeconds: number;
}

export class TrunkCompression {
  readonly #files: Files;
  readonly #log: Log;
  readonly #places: TrunkFiles;
  readonly #open: OpenBinlog;

  constructor(parts: CompressionParts, places: TrunkFiles, open: OpenBinlog) {
    this.#files = parts.files;
    this.#log = parts.log;
    this.#places = places;
    this.#open = open;
  }

  /** Between two steps the binlog may be appended to. Rolls back where it fails; one that is given up is rolled back at the next start. */
  *run(options: CompressionOptions): Generator<void, void> {
    try {
      this.#begin();
      yield* this.#writeFree(options.nowSeconds);
      yield* this.#merge();
    } catch (error) {
      this.#open.close();
      this.recover();
      throw error;
    }
    this.#finish(options);
  }

  /** Settles what an interrupted run left. Before the binlog is used. */
  recover(): void {
    const files = this.#files;
    const stage = this.#readStage();
    if (stage === stages.none) return;
    this.#log.notice("trunk-compression-settled", { stage });
    if (stage === stages.merged) {
      if (files.stat(this.#places.binlogTmp, true) !== undefined) {
        files.rename(this.#places.binlogTmp, this.#places.binlog);
        files.flushDirectory(this.#places.trunk);
      }
      this.#finish({ maxBackups: 0, nowSeconds: 0 });
      return;
    }
    this.#rollBack(stage);
  }

  #begin(): void {
    const files = this.#files;
    const places = this.#places;
    files.remove(places.binlogRollback);
    this.#noteStage(stages.begun);
    this.#open.close();
    files.rename(places.binlog, places.binlogRollback);
    files.flushDirectory(places.trunk);
    files.remove(places.snapshot);
  }

  /** The head of the new binlog. */
  *#writeFree(nowSeconds: number): Generator<void, void> {
    const files = this.#files;
    const free = new GroupAllocator(anyRules, 1);
    yield* this.#replay(free);
    if (free.slotCount >= maxGroupSlots) {
      throw fileStoreError(
        "disk-failed",
        `more than ${maxGroupSlots} free slots: the trunk binlog stays as it is`,
      );
    }
    const descriptor = files.open(this.#places.binlogTmp, "write");
    try {
      let lines: string[] = [];
      for (const { held: _held, ...location } of free.slots()) {
        lines.push(trunkLogLine("free", nowSeconds, location));
        if (lines.length < linesAtOnce) continue;
        this.#writeLines(descriptor, lines);
        lines = [];
        yield;
      }
      this.#writeLines(descriptor, lines);
      files.flush(descriptor);
    } finally {
      files.close(descriptor);
    }
  }

  *#replay(free: GroupAllocator): Generator<void, void> {
    const files = this.#files;
    const replay = new TrunkLogReplay((event) => free.replay(event));
    const descriptor = files.open(this.#places.binlogRollback, "read");
    try {
      const piece = Buffer.alloc(stepBytes / 4);
      for (let offset = 0; ; ) {
        const length = files.read(descriptor, piece, offset);
        if (length === 0) break;
        replay.add(piece.subarray(0, length));
        offset += length;
        yield;
      }
    } finally {
      files.close(descriptor);
    }
    if (replay.invalid > 0) this.#log.warn("trunk-binlog-lines-invalid", { lines: replay.invalid });
  }

  #writeLines(descriptor: FileDescriptor, lines: readonly string[]): void {
    if (lines.length > 0) this.#files.write(descriptor, Buffer.from(lines.join(""), "latin1"));
  }

  /** Brings the lines that were written meanwhile behind the head; the last of them and the exchange of the files are one step. */
  *#merge(): Generator<void, void> {
    const files = this.#files;
    const places = this.#places;
    this.#noteStage(stages.merging);
    const target = files.open(places.binlogTmp, "append");
    try {
      const piece = Buffer.alloc(stepBytes);
      let copied = 0;
      for (;;) {
        const size = this.#open.size();
        if (copied >= size) break;
        copied += this.#copyPiece(target, piece, copied);
        if (size - copied > stepBytes) yield;
      }
      files.flush(target);
    } finally {
      files.close(target);
    }
    files.flushDirectory(places.trunk);
    this.#noteStage(stages.merged);
    this.#open.close();
    files.rename(places.binlogTmp, places.binlog);
    files.flushDirectory(places.trunk);
  }

  #copyPiece(target: FileDescriptor, piece: Buffer, offset: number): number {
    const source = this.#files.open(this.#places.binlog, "read");
    try {
      const length = this.#files.read(source, piece, offset);
      if (length === 0) throw new FileError("EIO", "the trunk binlog is shorter than it was");
      this.#files.write(target, piece.subarray(0, length));
      return length;
    } finally {
      this.#files.close(source);
    }
  }

  #finish(options: CompressionOptions): void {
    const files = this.#files;
    const places = this.#places;
    if (files.stat(places.binlogRollback, true) !== undefined) {
      if (options.maxBackups > 0) places.backUp(files, places.binlogRollback, options);
      else files.remove(places.binlogRollback);
    }
    this.#places.removeMarks(files);
    files.flushDirectory(places.trunk);
    this.#noteStage(stages.none);
  }

  #rollBack(stage: Stage): void {
    const files = this.#files;
    const places = this.#places;
    if (stage !== stages.rolledBack) {
      files.remove(places.binlogTmp);
      if (files.stat(places.binlogRollback, true) !== undefined) {
        this.#noteStage(stages.rollingBack);
        this.#concatenate([places.binlogRollback, places.binlog], places.binlogTmp);
        files.flushDirectory(places.trunk);
        this.#noteStage(stages.rolledBack);
      }
    }
    if (files.stat(places.binlogTmp, true) !== undefined) {
      files.rename(places.binlogTmp, places.binlog);
      files.flushDirectory(places.trunk);
    }
    files.remove(places.binlogRollback);
    files.flushDirectory(places.trunk);
    this.#noteStage(stages.none);
  }

  #concatenate(from: readonly string[], to: string): void {
    const files = this.#files;
    const target = files.open(to, "write");
    try {
      const piece = Buffer.alloc(stepBytes);
      for (const path of from) {
        if (files.stat(path, true) === undefined) continue;
        const source = files.open(path, "read");
        try {
          for (let offset = 0; ; ) {
            const length = files.read(source, piece, offset);
            if (length === 0) break;
            files.write(target, piece.subarray(0, length));
            offset += length;
          }
        } finally {
          files.close(source);
        }
      }
      files.flush(target);
    } finally {
      files.close(target);
    }
  }

  #readStage(): Stage {
    const text = readSmallFile(this.#files, this.#places.stage, maxStageBytes) ?? "";
    const stage = parseCount(parseKeyValueLines(text).get(stageKey));
    return Object.values(stages).find((known) => known === stage) ?? stages.none;
  }

  #noteStage(stage: Stage): void {
    const path = this.#places.stage;
    const text = formatKeyValueLines([[stageKey, stage]]);
    replaceFile(this.#files, path, { temporary: `${path}.new`, text });
    this.#files.flushDirectory(this.#places.own);
  }
}

const stageKey = "trunk_binlog_compress_stage";
