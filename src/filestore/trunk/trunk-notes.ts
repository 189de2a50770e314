/**
 * The two small files in `.cairn` that say which trunk files are this node's own, and which of them slots are taken from. Each is replaced
 * as a whole, durably, before what it speaks of happens. Worker thread.
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
import type { Files } from "#platform/files.ts";

/** Larger notes are none: a million trunk files, or all extents that may be open. */
const maxNoteBytes = 64 * 1024 * 1024;

export class TrunkNotes {
  readonly #files: Files;
  readonly #own: string;

  /** `own`: the directory of this node's own things on the store path. */
  constructor(files: Files, own: string) {
    this.#files = files;
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
    this.#write("trunk-open", formatTrunkOpen(note));
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

  #write(name: string, text: string): void {
    const path = `${this.#own}/${name}`;
    replaceFile(this.#files, path, { temporary: `${path}.new`, text });
    this.#files.flushDirectory(this.#own);
  }
}
