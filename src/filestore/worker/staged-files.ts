/**
 * The files in `.cairn/tmp` of one store path: numbering those that are being received, dropping those that came to nothing,
 * copying their content into the file that it belongs to. Worker thread.
 */
import type { Log } from "#base/log.ts";
import { formatPart } from "#filestore/formats/staged-name.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

export class StagedFiles {
  readonly #files: Files;
  readonly #tmp: string;
  readonly #log: Log;
  #last = 0;

  constructor(files: Files, layout: FileLayout, log: Log) {
    this.#files = files;
    this.#tmp = layout.tmp;
    this.#log = log;
  }

  /** The names of staged files. */
  get directoryTarget(): FlushTarget {
    return { kind: "directory", path: this.#tmp };
  }

  /** Path for a body that is going to be received. */
  newPart(): string {
    this.#last += 1;
    return `${this.#tmp}/${formatPart(this.#last)}`;
  }

  /** Closes what is written and flushed, or given up: there is nothing left to fail. */
  close(descriptor: FileDescriptor): void {
    try {
      this.#files.close(descriptor);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#log.warn("staged-file-not-closed", { problem: error.message });
    }
  }

  /** Removes a staged file. Where that fails it stays until the next start, which sweeps it. */
  drop(path: string): void {
    try {
      this.#files.remove(path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#log.warn("staged-file-left", { path, problem: String(error) });
    }
  }
}

/**
 * A body that was received whole. Where it is to be flushed it stays open until it was: the kernel tells of a failed write-back
 * through descriptors that were open at the time, and may forget it for later ones.
 */
export class StagedFile {
  readonly #files: Files;
  readonly #staged: StagedFiles;
  #path: string;
  #descriptor: FileDescriptor | undefined;

  constructor(
    parts: { readonly files: Files; readonly staged: StagedFiles },
    path: string,
    descriptor: FileDescriptor | undefined,
  ) {
    this.#files = parts.files;
    this.#staged = parts.staged;
    this.#path = path;
    this.#descriptor = descriptor;
  }

  get path(): string {
    return this.#path;
  }

  /** Its content. */
  get flushTarget(): FlushTarget {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return { kind: "file", path: this.#path };
    return { kind: "file", path: this.#path, descriptor };
  }

  /** Throws `FileError`; then it lies where it lay. */
  rename(to: string): void {
    if (to === this.#path) return;
    this.#files.rename(this.#path, to);
    this.#path = to;
  }

  /** Harmless when it is closed. */
  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) this.#staged.close(descriptor);
  }

  /** Removes it. Where that fails it stays until the next start. */
  drop(): void {
    this.close();
    this.#staged.drop(this.#path);
  }
}

/** Flushes the content of a closed file. Throws `FileError`. */
export function flushFile(files: Files, path: string): void {
  const descriptor = files.open(path, "read");
  try {
    files.flush(descriptor);
  } finally {
    files.close(descriptor);
  }
}

export interface Copy {
  readonly from: string;
  readonly to: FileDescriptor;
  readonly offset: number;
  readonly length: number;
}

/** Copies `length` bytes from the start of `from` to `offset` of `to`, a bounded piece a step. Throws `FileError`. */
export function* copySteps(files: Files, copy: Copy): Generator<undefined, void> {
  const source = files.open(copy.from, "read");
  try {
    const buffer = Buffer.allocUnsafe(Math.min(stepBytes, copy.length));
    let done = 0;
    while (done < copy.length) {
      const wanted = Math.min(buffer.length, copy.length - done);
      const got = files.read(source, buffer.subarray(0, wanted), done);
      if (got === 0) throw new FileError("EIO", `EIO: ${copy.from} is shorter than it was`);
      files.write(copy.to, buffer.subarray(0, got), copy.offset + done);
      done += got;
      if (done < copy.length) yield;
    }
  } finally {
    files.close(source);
  }
}

/** Runs steps to their end at once. */
export function runToEnd<Result>(steps: Generator<unknown, Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Cuts a file off or extends it by zeros. Throws `FileError`. */
export function setSize(files: Files, path: string, sizeBytes: number): void {
  const descriptor = files.open(path, "read-write");
  try {
    files.truncate(descriptor, sizeBytes);
  } finally {
    files.close(descriptor);
  }
}
