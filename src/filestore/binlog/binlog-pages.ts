/**
 * Reads a binlog in pages of whole lines, up to an end that is given: rotated and compressed files, and lines that are no records, which
 * are handed out as they are. What has no end within a page is passed over, a page at a time. The last files that were read stay open,
 * since those who read are mostly near each other. Worker thread.
 */
import { binlogPath, listBinlogs } from "#filestore/binlog/binlog-files.ts";
import type { BinlogReaderParts } from "#filestore/binlog/binlog-reader.ts";
import { maxRecordBytes } from "#filestore/binlog/entry.ts";
import { openExpanded } from "#filestore/binlog/expanded-binlog.ts";
import { type BinlogPosition, binlogStart, comparePositions } from "#filestore/binlog/position.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { formatBinlogFilename } from "#filestore/formats/binlog-index.ts";
import { type FileDescriptor, FileError } from "#platform/files.ts";

/** Files that are kept open. */
const maxOpenFiles = 4;
/** The least that a page has room for. */
export const minPageBytes = 1024;
const lineFeed = 0x0a;

export interface FilledPage {
  /** Bytes of whole lines. */
  readonly length: number;
  readonly next: BinlogPosition;
  readonly atEnd: boolean;
}

export class BinlogPages {
  readonly #parts: BinlogReaderParts;
  readonly #before = Buffer.allocUnsafe(maxRecordBytes);
  /** By their numbers; the one that was used last comes last. */
  readonly #open = new Map<number, FileDescriptor>();
  readonly #expanding = new Set<number>();

  constructor(parts: BinlogReaderParts) {
    this.#parts = parts;
  }

  /**
   * Fills `target` from `from` on, with nothing behind `end`, where a line ends. Throws `binlog-gone` where `from` is not a place
   * where a line begins, and `FileError`. In steps where a file has to be expanded; several may read at once.
   */
  *read(
    from: BinlogPosition,
    end: BinlogPosition,
    target: Uint8Array,
  ): Generator<undefined, FilledPage> {
    if (comparePositions(from, end) > 0) throw gone(from, `the end is at ${inWords(end)}`);
    yield* this.#expand(from.index);
    let place = this.#start(from);
    while (comparePositions(place, end) < 0) {
      yield* this.#expand(place.index);
      const { length, read } = this.#readLines(place, end, target);
      const { index } = place;
      if (length > 0) return pageTo({ index, offset: place.offset + length }, end, length);
      const behind = { index, offset: place.offset + read };
      const isPassing = index === end.index || behind.offset < this.#size(index);
      if (isPassing) return pageTo(behind, end, 0);
      // What is left of a file that was ended is no line, and will be none.
      place = this.#nextFile(index, end);
    }
    return pageTo(place, end, 0);
  }

  close(): void {
    for (const descriptor of this.#open.values()) this.#parts.files.close(descriptor);
    this.#open.clear();
  }

  /** `from`, or the begin of the first file that there is, for those who begin at the begin. */
  #start(from: BinlogPosition): BinlogPosition {
    const descriptor = this.#descriptor(from.index);
    if (descriptor === undefined) {
      const [first] = listBinlogs(this.#parts.files, this.#parts.directory);
      if (comparePositions(from, binlogStart) === 0 && first !== undefined) {
        return { index: first, offset: 0 };
      }
      throw gone(from, "the file is not there");
    }
    const { offset } = from;
    if (offset === 0) return from;
    if (!this.#isLineStart(descriptor, offset)) throw gone(from, "no record begins there");
    return from;
  }

  /** Also inside of something long that has no lines. */
  #isLineStart(descriptor: FileDescriptor, offset: number): boolean {
    const { files } = this.#parts;
    if (files.statDescriptor(descriptor).sizeBytes < offset) return false;
    const length = Math.min(offset, this.#before.length);
    const before = this.#before.subarray(0, length);
    const got = files.read(descriptor, before, offset - length);
    if (got < length) return false;
    if (before[length - 1] === lineFeed) return true;
    return offset > length && !before.includes(lineFeed);
  }

  #readLines(
    { index, offset }: BinlogPosition,
    end: BinlogPosition,
    target: Uint8Array,
  ): { readonly length: number; readonly read: number } {
    const descriptor = this.#descriptor(index);
    if (descriptor === undefined) throw gone({ index, offset }, "the file is not there");
    const room = index === end.index ? end.offset - offset : target.length;
    const wanted = target.subarray(0, Math.min(target.length, room));
    const read = this.#parts.files.read(descriptor, wanted, offset);
    return { length: wanted.subarray(0, read).lastIndexOf(lineFeed) + 1, read };
  }

  #nextFile(index: number, end: BinlogPosition): BinlogPosition {
    const { files, directory } = this.#parts;
    const following = listBinlogs(files, directory).find((each) => each > index);
    return { index: Math.min(following ?? end.index, end.index), offset: 0 };
  }

  #size(index: number): number {
    const descriptor = this.#descriptor(index);
    if (descriptor === undefined) return 0;
    return this.#parts.files.statDescriptor(descriptor).sizeBytes;
  }

  /** Undefined where there is no such file, or a compressed one that was not expanded. */
  #descriptor(index: number): FileDescriptor | undefined {
    const there = this.#open.get(index);
    if (there !== undefined) this.#open.delete(index);
    const descriptor = there ?? this.#openPlain(index);
    if (descriptor !== undefined) this.#keep(index, descriptor);
    return descriptor;
  }

  #keep(index: number, descriptor: FileDescriptor): void {
    this.#open.set(index, descriptor);
    if (this.#open.size > maxOpenFiles) this.#closeOldest();
  }

  /** Opens the file where it is there in its compressed form only. Whoever wants one that another one expands waits for that. */
  *#expand(index: number): Generator<undefined, void> {
    const { files, directory, scratch } = this.#parts;
    const path = binlogPath(directory, index);
    while (this.#expanding.has(index)) yield undefined;
    if (this.#open.has(index) || files.stat(path, true) !== undefined) return;
    if (files.stat(`${path}.gz`, true) === undefined) return;
    this.#expanding.add(index);
    try {
      const temporary = `${scratch}/${formatBinlogFilename(index)}.page`;
      this.#keep(index, yield* openExpanded(files, `${path}.gz`, temporary));
    } finally {
      this.#expanding.delete(index);
    }
  }

  #closeOldest(): void {
    const [oldest] = this.#open;
    if (oldest === undefined) return;
    this.#open.delete(oldest[0]);
    this.#parts.files.close(oldest[1]);
  }

  #openPlain(index: number): FileDescriptor | undefined {
    const { files, directory } = this.#parts;
    try {
      return files.open(binlogPath(directory, index), "read");
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== "ENOENT") throw error;
      return undefined;
    }
  }
}

function pageTo(next: BinlogPosition, end: BinlogPosition, length: number): FilledPage {
  return { length, next, atEnd: comparePositions(next, end) >= 0 };
}

function gone(place: BinlogPosition, why: string): Error {
  return fileStoreError(
    "binlog-gone",
    `nothing to read at ${inWords(place)} of the binlog: ${why}`,
  );
}

function inWords({ index, offset }: BinlogPosition): string {
  return `${offset} of file ${index}`;
}
