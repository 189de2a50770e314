/**
 * What the disk below a store path carries beside its store paths: passport, and a copy of the node's state. Each file is there as a whole,
 * old or new, whatever happens in between; only the node's user reads it. Worker thread.
 */
import { dirname } from "node:path/posix";
import { AppError } from "#base/app-error.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import { writeFlag } from "#filestore/worker-messages.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

const namePattern = /^[a-z][a-z.]{0,40}$/;

export class DiskFileWriter {
  readonly #files: Files;
  readonly #directory: string | undefined;
  #open: { readonly name: string; readonly descriptor: FileDescriptor; bytes: number } | undefined;

  /** `directory`: on the disk; undefined where the store path is not on a disk of the node's own. */
  constructor(files: Files, directory: string | undefined) {
    this.#files = files;
    this.#directory = directory;
  }

  /** The next piece of a file; the last one puts it in its place. Throws `file-invalid` and `disk-failed`. */
  perform(record: RingRecord, answers: Answers): void {
    const { text: name, flags, a: offset } = record;
    const directory = this.#directory;
    if (directory === undefined) throw invalid("the store path is on no disk of its own");
    if (!namePattern.test(name)) throw invalid("the disk has no such file");
    onDisk(`write ${name} of the disk`, () => {
      if ((flags & writeFlag.first) !== 0) this.#begin(directory, name);
      const open = this.#open;
      if (open?.name !== name || open.bytes !== offset) throw invalid("a piece is missing");
      const piece = answers.payload(record);
      this.#files.write(open.descriptor, piece, offset);
      open.bytes += piece.length;
      if ((flags & writeFlag.last) !== 0) this.#end(directory, name, open.descriptor);
    });
    answers.done(record.id);
  }

  close(): void {
    if (this.#open === undefined) return;
    this.#files.close(this.#open.descriptor);
    this.#open = undefined;
  }

  #begin(directory: string, name: string): void {
    this.close();
    if (this.#files.stat(directory, false) === undefined) {
      this.#files.makeDirectory(directory);
      this.#files.flushDirectory(dirname(directory));
    }
    const temporary = `${directory}/${name}.new`;
    // One that a crash left may be anybody's to read.
    this.#files.remove(temporary);
    const descriptor = this.#files.open(temporary, "create", true);
    this.#open = { name, descriptor, bytes: 0 };
  }

  #end(directory: string, name: string, descriptor: FileDescriptor): void {
    this.#files.flush(descriptor);
    this.close();
    this.#files.rename(`${directory}/${name}.new`, `${directory}/${name}`);
    this.#files.flushDirectory(directory);
  }
}

function invalid(message: string): AppError {
  return new AppError("file-invalid", message);
}
