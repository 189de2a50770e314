/**
 * Reads a binlog from a cursor on, while it may be written: rotated and compressed files, lines that are no records, a last
 * line that is not whole yet. Bounded: one read takes at most `chunkBytes`. Worker thread.
 */
import type { Log } from "#base/log.ts";
import { binlogPath, listBinlogs } from "#filestore/binlog/binlog-files.ts";
import { type BinlogEntry, decodeEntry } from "#filestore/binlog/entry.ts";
import { openExpanded } from "#filestore/binlog/expanded-binlog.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { formatBinlogFilename } from "#filestore/formats/binlog-index.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

/** Read at a time: about a thousand records. */
export const chunkBytes = 64 * 1024;
const maxShownCharacters = 120;

export interface BinlogRecord {
  readonly entry: BinlogEntry;
  /** The line without its end. */
  readonly line: string;
  readonly start: BinlogPosition;
  /** Where the next one starts: the cursor of somebody who is done with this one. */
  readonly end: BinlogPosition;
}

export interface InvalidLine {
  readonly start: BinlogPosition;
  /** What stands there, cut; or what is wrong, where nothing does. */
  readonly text: string;
}

export interface BinlogChunk {
  readonly records: readonly BinlogRecord[];
  readonly invalid: readonly InvalidLine[];
}

export interface BinlogReaderParts {
  readonly files: Files;
  readonly directory: string;
  /** Where compressed files are expanded to; nothing stays there. */
  readonly scratch: string;
}

export class BinlogReader {
  readonly #files: Files;
  readonly #directory: string;
  readonly #scratch: string;
  readonly #buffer = Buffer.allocUnsafe(chunkBytes);
  #index: number;
  #offset: number;
  #descriptor: FileDescriptor | undefined;

  constructor(parts: BinlogReaderParts, cursor: BinlogPosition) {
    this.#files = parts.files;
    this.#directory = parts.directory;
    this.#scratch = parts.scratch;
    this.#index = cursor.index;
    this.#offset = cursor.offset;
  }

  /** The place behind everything that `read` gave. */
  get cursor(): BinlogPosition {
    return { index: this.#index, offset: this.#offset };
  }

  /** The records that follow; none, and no invalid line, at the present end. Blocks while a file is expanded. Throws `FileError`. */
  read(): BinlogChunk {
    const steps = this.readSteps();
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  }

  /** As `read`, in steps where a file has to be expanded. */
  *readSteps(): Generator<undefined, BinlogChunk> {
    const records: BinlogRecord[] = [];
    const invalid: InvalidLine[] = [];
    while (records.length === 0 && invalid.length === 0) {
      yield* this.#open();
      const text = this.#readText();
      const end = text.lastIndexOf("\n");
      if (end >= 0) this.#takeLines(text.slice(0, end), { records, invalid });
      else if (text.length === chunkBytes) this.#refuse(text, invalid);
      else if (!this.#moveOn(text, invalid)) break;
    }
    return { records, invalid };
  }

  close(): void {
    if (this.#descriptor !== undefined) this.#files.close(this.#descriptor);
    this.#descriptor = undefined;
  }

  #takeLines(
    text: string,
    into: { readonly records: BinlogRecord[]; readonly invalid: InvalidLine[] },
  ): void {
    for (const line of text.split("\n")) {
      const start = this.cursor;
      this.#offset += line.length + 1;
      const entry = decodeEntry(line);
      if (entry === undefined) into.invalid.push({ start, text: clip(line) });
      else into.records.push({ entry, line, start, end: this.cursor });
    }
  }

  #refuse(text: string, invalid: InvalidLine[]): void {
    invalid.push({ start: this.cursor, text: clip(text) });
    this.#offset += text.length;
  }

  /**
   * At the end of a file: true when reading goes on. `rest` is a line without its end. The next file is begun only after the last
   * write to this one, so what is still the end after the next one was seen stays it.
   */
  #moveOn(rest: string, invalid: InvalidLine[]): boolean {
    const next = this.#nextIndex();
    if (next === undefined) return this.#stepBack(invalid);
    if (this.#readText().length > rest.length) return true;
    if (rest.length > 0) this.#refuse(rest, invalid);
    if (next > this.#index + 1) {
      const missing = `${formatBinlogFilename(this.#index + 1)} is missing`;
      invalid.push({ start: this.cursor, text: missing });
    }
    this.close();
    this.#index = next;
    this.#offset = 0;
    return true;
  }

  /** A cursor behind the end points to nothing that was ever confirmed: the binlog was cut, or is another one. */
  #stepBack(invalid: InvalidLine[]): boolean {
    const size =
      this.#descriptor === undefined ? 0 : this.#files.statDescriptor(this.#descriptor).sizeBytes;
    if (this.#offset <= size) return false;
    invalid.push({ start: this.cursor, text: `the cursor is behind the end, which is at ${size}` });
    this.#offset = size;
    return true;
  }

  #nextIndex(): number | undefined {
    return listBinlogs(this.#files, this.#directory).find((index) => index > this.#index);
  }

  #readText(): string {
    if (this.#descriptor === undefined) return "";
    const got = this.#files.read(this.#descriptor, this.#buffer, this.#offset);
    return this.#buffer.toString("latin1", 0, got);
  }

  /** Does nothing where there is no such file, compressed or not. */
  *#open(): Generator<undefined, void> {
    if (this.#descriptor !== undefined) return;
    const path = binlogPath(this.#directory, this.#index);
    if (this.#files.stat(path, true) !== undefined) {
      this.#descriptor = this.#files.open(path, "read");
    } else if (this.#files.stat(`${path}.gz`, true) !== undefined) {
      const temporary = `${this.#scratch}/${formatBinlogFilename(this.#index)}.expanded`;
      this.#descriptor = yield* openExpanded(this.#files, `${path}.gz`, temporary);
    }
  }
}

function clip(text: string): string {
  return text.length <= maxShownCharacters ? text : `${text.slice(0, maxShownCharacters)}…`;
}

/** All records from there to the end of the binlog in `directory`, at once. Throws `FileError`. */
export function readRecords(
  parts: BinlogReaderParts & { readonly log: Log },
  from: BinlogPosition,
): readonly BinlogRecord[] {
  const reader = new BinlogReader(parts, from);
  const records: BinlogRecord[] = [];
  try {
    for (;;) {
      const chunk = reader.read();
      if (chunk.records.length === 0 && chunk.invalid.length === 0) return records;
      for (const record of chunk.records) records.push(record);
      for (const { text } of chunk.invalid) parts.log.debug("binlog-line-invalid", { text });
    }
  } finally {
    reader.close();
  }
}
