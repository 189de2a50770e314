/**
 * What a storage still has to tell the group's trunk server, as lines that only its owner on the main thread understands
 * (`storage/owed-news.ts`): appended to, and replaced as a whole. A torn end is the owner's business. Worker thread of store path 0; failures are
 * `FileError`s.
 */
import { replaceFile } from "#filestore/binlog/binlog-files.ts";
import type { Files } from "#platform/files.ts";

export interface OwedNewsFileParts {
  readonly files: Files;
  /** The directory that is ours alone. */
  readonly own: string;
  /** What was written is flushed before it counts. */
  readonly flushed: boolean;
}

export class OwedNewsFile {
  readonly #parts: OwedNewsFileParts;
  readonly path: string;

  constructor(parts: OwedNewsFileParts) {
    this.#parts = parts;
    this.path = `${parts.own}/trunk-owed`;
  }

  append(lines: Uint8Array): void {
    const { files, own, flushed } = this.#parts;
    const isNew = files.stat(this.path, true) === undefined;
    const descriptor = files.open(this.path, "append");
    try {
      files.write(descriptor, lines);
      if (flushed) files.flush(descriptor);
    } finally {
      files.close(descriptor);
    }
    if (isNew && flushed) files.flushDirectory(own);
  }

  replace(lines: Uint8Array): void {
    const { files, own } = this.#parts;
    const text = Buffer.from(lines).toString("latin1");
    replaceFile(files, this.path, { temporary: `${this.path}.new`, text });
    files.flushDirectory(own);
  }
}
