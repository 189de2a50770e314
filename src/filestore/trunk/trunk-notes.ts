/**
 * The two small files in `.cairn` that say which trunk files are this node's own, and which of them slots are taken from. Each is replaced
 * as a whole before what it speaks of happens, and flushed where changes are; what a power cut spoils otherwise reads as damaged. Worker
 * thread.
 */
import { replaceFile } from "#filestore/binlog/binlog-files.ts";
import {
  formatTrunkFiles,
  parseTrunkFiles,
  type TrunkFilesNote,
} from "#filestore/formats/trunk-files.ts";
import {
  formatTrunkOpen,
  parseTrunkOpen,
  type TrunkOpenNote,
} from "#filestore/formats/trunk-open.ts";
import type { TrunkFile } from "#filestore/trunk/trunk-space.ts";
import { type FlushSteps, flushAll } from "#filestore/worker/flush-steps.ts";
import type { FileError, Files } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

/** Larger notes are none: a million trunk files, or all extents that may be open. */
const maxNoteBytes = 64 * 1024 * 1024;

export interface NoteParts {
  readonly files: Files;
  readonly flushed: boolean;
  readonly onFlushFailed: (error: FileError) => void;
}

export class TrunkNotes {
  readonly #parts: NoteParts;
  readonly #files: Files;
  readonly #own: string;
  /** Notes of open files that were begun. */
  #begun = 0;

  /** `own`: the directory of this node's own things on the store path. */
  constructor(parts: NoteParts, own: string) {
    this.#parts = parts;
    this.#files = parts.files;
    this.#own = own;
  }

  /** Undefined where there is none. Throws `FileError`. */
  readFiles(): TrunkFilesNote | undefined {
    const text = this.#read("trunk-files");
    return text === undefined ? undefined : parseTrunkFiles(text);
  }

  /** Undefined where there is none. Throws `FileError`. */
  readOpen(): TrunkOpenNote | "damaged" | undefined {
    const text = this.#read("trunk-open");
    return text === undefined ? undefined : (parseTrunkOpen(text) ?? "damaged");
  }

  /** Throws `FileError`. */
  writeFiles(files: Iterable<TrunkFile>): void {
    this.#write("trunk-files", formatTrunkFiles(files));
  }

  /** Throws `FileError`. */
  writeOpen(note: TrunkOpenNote): void {
    this.#begun += 1;
    this.#write("trunk-open", formatTrunkOpen(note));
  }

  /** As `writeOpen`, in steps that wait for flushes. One that was overtaken by a later one is left. Throws `FileError`. */
  *writeOpenSteps(note: TrunkOpenNote): FlushSteps<void> {
    this.#begun += 1;
    const number = this.#begun;
    const draft = `${this.#own}/trunk-open.draft`;
    const descriptor = this.#files.open(draft, "write");
    try {
      this.#files.write(descriptor, Buffer.from(formatTrunkOpen(note), "latin1"));
      yield* this.#flush({ kind: "file", path: draft, descriptor });
    } finally {
      this.#files.close(descriptor);
    }
    if (number !== this.#begun) return;
    this.#files.rename(draft, `${this.#own}/trunk-open`);
    yield* this.#flush({ kind: "directory", path: this.#own });
  }

  #read(name: string): string | undefined {
    const path = `${this.#own}/${name}`;
    const stat = this.#files.stat(path, true);
    if (stat?.kind !== "file") return undefined;
    const descriptor = this.#files.open(path, "read");
    try {
      const buffer = Buffer.allocUnsafe(Math.min(stat.sizeBytes, maxNoteBytes));
      return buffer.toString("latin1", 0, this.#files.read(descriptor, buffer, 0));
    } finally {
      this.#files.close(descriptor);
    }
  }

  *#flush(target: FlushTarget): FlushSteps<void> {
    if (!this.#parts.flushed) return;
    const error = yield* flushAll(this.#parts, [target]);
    if (error !== undefined) throw error;
  }

  #write(name: string, text: string): void {
    const path = `${this.#own}/${name}`;
    const temporary = `${path}.new`;
    if (this.#parts.flushed) {
      replaceFile(this.#files, path, { temporary, text });
      this.#files.flushDirectory(this.#own);
      return;
    }
    const descriptor = this.#files.open(temporary, "write");
    try {
      this.#files.write(descriptor, Buffer.from(text, "latin1"));
    } finally {
      this.#files.close(descriptor);
    }
    this.#files.rename(temporary, path);
  }
}
