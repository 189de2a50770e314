/**
 * Appends to the binlog of one store path. A batch of records is one write, and either all of it is there or nothing: what a
 * failed write left is cut off at once, or before the next one. The file ends with a whole line whenever this returns. Worker thread;
 * the only writer of its directory.
 */

import type { Log } from "#base/log.ts";
import { binlogPath, findBinlogIndex, writeBinlogIndex } from "#filestore/binlog/binlog-files.ts";
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import type { BinlogIndex } from "#filestore/formats/binlog-index.ts";
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

/** A file that has reached this size is followed by the next one, as C does it. */
export const rotationBytes = 1024 ** 3;

/** Step in which the last line's begin is looked for; one step finds it except behind a run of rubbish. */
const searchBytes = 4096;
const lineFeed = 0x0a;

/** First size of the buffer for a batch; grows as batches do. */
const initialBatchBytes = 16 * 1024;

export interface BinlogWriterParts {
  readonly files: Files;
  readonly directory: string;
  readonly log: Log;
  /** Smaller in tests. */
  readonly rotationBytes?: number;
}

export class BinlogWriter {
  readonly #files: Files;
  readonly #directory: string;
  readonly #rotationBytes: number;
  #index: BinlogIndex;
  #descriptor: FileDescriptor;
  #offset: number;
  /** The file is longer than `#offset`: a write failed, and so did cutting it off. */
  #ragged = false;
  #batch = Buffer.allocUnsafe(initialBatchBytes);
  /** Places behind which records may still be taken back. */
  readonly #held = new Set<BinlogPosition>();

  private constructor(
    parts: BinlogWriterParts,
    index: BinlogIndex,
    end: { readonly descriptor: FileDescriptor; readonly offset: number },
  ) {
    this.#files = parts.files;
    this.#directory = parts.directory;
    this.#rotationBytes = parts.rotationBytes ?? rotationBytes;
    this.#index = index;
    this.#descriptor = end.descriptor;
    this.#offset = end.offset;
  }

  /** Opens what is there, or begins the binlog. A last line without its end is cut off. Throws `FileError`. */
  static open(parts: BinlogWriterParts): BinlogWriter {
    const { files, directory, log } = parts;
    const index = findBinlogIndex(files, directory);
    const path = binlogPath(directory, index.currentWrite);
    const fresh = files.stat(path, true) === undefined;
    const descriptor = files.open(path, "append");
    try {
      const size = files.statDescriptor(descriptor).sizeBytes;
      const whole = wholeLinesBytes(files, path, size);
      if (whole < size) {
        log.warn("binlog-torn-line-dropped", { path, bytes: size - whole });
        files.truncate(descriptor, whole);
        files.flush(descriptor);
      }
      if (fresh) writeBinlogIndex(files, directory, index);
      return new BinlogWriter(parts, index, { descriptor, offset: whole });
    } catch (error) {
      files.close(descriptor);
      throw error;
    }
  }

  /** Where the next record begins. */
  get position(): BinlogPosition {
    return { index: this.#index.currentWrite, offset: this.#offset };
  }

  /**
   * Begins the next file where the present one is full. Call before positions of records are used. Throws `FileError`; `onFlushFailed` hears
   * of a flush that fails, which is told once and says that older records may be lost.
   */
  rotateWhenFull(onFlushFailed: (error: FileError) => void): void {
    if (this.#offset < this.#rotationBytes) return;
    this.#mend();
    try {
      this.#files.flush(this.#descriptor);
    } catch (error) {
      if (error instanceof FileError) onFlushFailed(error);
      throw error;
    }
    const next = { ...this.#index, currentWrite: this.#index.currentWrite + 1 };
    const descriptor = this.#files.open(binlogPath(this.#directory, next.currentWrite), "append");
    try {
      writeBinlogIndex(this.#files, this.#directory, next);
    } catch (error) {
      this.#files.close(descriptor);
      throw error;
    }
    this.#files.close(this.#descriptor);
    this.#descriptor = descriptor;
    this.#index = next;
    this.#offset = 0;
  }

  /** Appends whole lines, latin1. Nothing is there when it throws `FileError`. */
  append(lines: string): void {
    this.#mend();
    if (this.#batch.length < lines.length) {
      this.#batch = Buffer.allocUnsafe(Math.max(lines.length, this.#batch.length * 2));
    }
    const length = this.#batch.write(lines, 0, "latin1");
    try {
      this.#files.write(this.#descriptor, this.#batch.subarray(0, length));
    } catch (error) {
      this.#cutOff();
      throw error;
    }
    this.#offset += length;
  }

  /** What was appended so far; it stays open until the next file begins. */
  get flushTarget(): FlushTarget {
    const path = binlogPath(this.#directory, this.#index.currentWrite);
    return { kind: "file", path, descriptor: this.#descriptor };
  }

  /** What was appended is on stable storage when this returns. Throws `FileError`. */
  flush(): void {
    this.#files.flush(this.#descriptor);
  }

  /** Takes back what was appended since `position`, of the same file, because it is not to count. */
  takeBack(position: BinlogPosition): void {
    this.#offset = position.offset;
    this.#cutOff();
  }

  /** What is appended from here on does not count before `release` of what this returns. */
  hold(): BinlogPosition {
    const { position } = this;
    this.#held.add(position);
    return position;
  }

  release(held: BinlogPosition): void {
    this.#held.delete(held);
  }

  /** Nothing before it is held. */
  get firstHeld(): BinlogPosition {
    let { position: first } = this;
    for (const held of this.#held) if (comparePositions(held, first) < 0) first = held;
    return first;
  }

  close(): void {
    this.#files.close(this.#descriptor);
  }

  /** Tries to leave nothing behind `#offset`; a file system that fails may fail here, too. */
  #cutOff(): void {
    this.#ragged = true;
    try {
      this.#mend();
    } catch (error) {
      // The next append tries again, and fails when it cannot.
      if (!(error instanceof FileError)) throw error;
    }
  }

  #mend(): void {
    if (!this.#ragged) return;
    this.#files.truncate(this.#descriptor, this.#offset);
    this.#ragged = false;
  }
}

/** How much of a file of `size` bytes ends with a line's end. */
function wholeLinesBytes(files: Files, path: string, size: number): number {
  if (size === 0) return 0;
  const descriptor = files.open(path, "read");
  try {
    const buffer = Buffer.allocUnsafe(searchBytes);
    let end = size;
    while (end > 0) {
      const start = Math.max(0, end - searchBytes);
      const got = files.read(descriptor, buffer.subarray(0, end - start), start);
      const at = buffer.subarray(0, got).lastIndexOf(lineFeed);
      if (at >= 0) return start + at + 1;
      end = start;
    }
    return 0;
  } finally {
    files.close(descriptor);
  }
}
