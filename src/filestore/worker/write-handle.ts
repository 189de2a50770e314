/** Receiving a body into a staged file: what the owner of the engine holds while a client sends. Worker thread. */
import { assert } from "#base/assert.ts";
import type { Content } from "#filestore/dedup/content-links.ts";
import type { Change } from "#filestore/worker/changes/staged-change.ts";
import { onDisk } from "#filestore/worker/disk-failure.ts";
import { flushEveryBytes } from "#filestore/worker/limits.ts";
import { copySteps, runToEnd, StagedFile } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import type { FileDescriptor, FileError } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

/** Where the body of an upload, an append or a modification goes. Calls throw `AppError<FileStoreErrorCode>`. */
export interface WriteHandle {
  /** The next piece; the bytes are used during the call only. After it threw, only `abort` is left. */
  write(bytes: Uint8Array): void;
  /**
   * Instead of `write`, for a body that comes in one piece: the whole of it, which stays as it is until the change ends. After it
   * threw, only `abort` is left.
   */
  writeWhole?(bytes: Uint8Array): void;
  /** All bytes have come: the change that is to be committed. After it threw, only `abort` is left. */
  finish(): Change;
  /** Asked for when all bytes have come: the content, where others are to be asked for it before `finish` or `abort`. */
  held?(): Content | undefined;
  /** Gives everything up that was written. Harmless where nothing is left to give up. */
  abort(): void;
  /** Where it is received into a file of its own, which may be long: to be flushed on its way, see `StagedBody.takeFlush`. */
  readonly body?: StagedBody;
}

/** A body on its way into `.cairn/tmp`. */
export class StagedBody {
  /** Where it lies; undefined before the first byte came, and after it was taken. */
  path: string | undefined;
  readonly #store: StorePath;
  #descriptor: FileDescriptor | undefined;
  #received = 0;
  #unflushed = 0;
  #isFlushing = false;
  /** To be closed when the flush that is in flight has ended. */
  #closesLater: FileDescriptor | undefined;
  #failure: FileError | undefined;
  /** It is a further name of a file that is there already, and must not be written to. */
  #isLinked = false;

  constructor(store: StorePath) {
    this.#store = store;
  }

  /** Bytes that came so far. */
  get received(): number {
    return this.#received;
  }

  /** Appends a piece, making a `.part` file for the first. Throws `AppError<FileStoreErrorCode>`. */
  write(bytes: Uint8Array): void {
    this.#received += bytes.length;
    onDisk("store what was received", () => {
      this.#requireGood();
      this.#descriptor ??= this.#open(this.#store.staged.newPart());
      this.#store.files.write(this.#descriptor, bytes);
      this.#unflushed += bytes.length;
    });
  }

  /**
   * Of a long body what came up to now, so that the last flush does not hold the disk up for long. The caller flushes it and says so
   * to `flushed`; until then the body may be written to and dropped, but not taken. Undefined where it is not worth it yet.
   */
  takeFlush(): FlushTarget | undefined {
    const descriptor = this.#descriptor;
    if (descriptor === undefined || this.path === undefined || this.#isFlushing) return undefined;
    if (!this.#store.flushed || this.#unflushed < flushEveryBytes) return undefined;
    this.#isFlushing = true;
    this.#unflushed = 0;
    return { kind: "file", path: this.path, descriptor };
  }

  /** How the flush ended that was taken. After a failure the body is good for nothing but to be dropped. */
  flushed(error: FileError | undefined): void {
    this.#isFlushing = false;
    if (this.#closesLater !== undefined) this.#store.staged.close(this.#closesLater);
    this.#closesLater = undefined;
    if (error === undefined) return;
    this.#failure = error;
    this.#store.onFlushFailed(error);
  }

  #requireGood(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Writes the whole body at once to `path`, which must be new. Throws `FileError`. */
  writeWhole(path: string, bytes: Uint8Array): void {
    this.#received = bytes.length;
    const descriptor = this.#open(path);
    this.#descriptor = descriptor;
    if (bytes.length > 0) this.#store.files.write(descriptor, bytes);
    if (!this.#store.flushed) this.#close();
  }

  /**
   * The whole body of `sizeBytes` lies at `path`, which was made a further name of a file. Where it is to be flushed it is open from
   * now on, see `StagedFile`. Throws `FileError`.
   */
  linked(path: string, sizeBytes: number): void {
    this.#close();
    this.#received = sizeBytes;
    this.#isLinked = true;
    this.path = path;
    if (this.#store.flushed) this.#descriptor = this.#store.files.open(path, "read");
  }

  /** What was written whole was not all: goes on with it, as a part. Throws `FileError`. */
  reopen(): void {
    const { files, staged } = this.#store;
    this.#close();
    const part = staged.newPart();
    if (this.#isLinked) this.#copyTo(part);
    else if (this.path !== undefined) files.rename(this.path, part);
    this.path = part;
    this.#descriptor = files.open(part, "append");
  }

  /** What is written to a file with several names is written to all of them. */
  #copyTo(part: string): void {
    const { files, staged } = this.#store;
    const { path: from } = this;
    if (from === undefined) return;
    const to = files.open(part, "create");
    try {
      runToEnd(copySteps(files, { from, to, offset: 0, length: this.#received }));
    } finally {
      files.close(to);
    }
    staged.drop(from);
    this.#isLinked = false;
  }

  /** Throws `FileError`; then it lies where it lay. */
  rename(to: string): void {
    if (this.path === undefined) return;
    this.#store.files.rename(this.path, to);
    this.path = to;
  }

  /** The file with everything in it; it is the caller's from now on. Throws `AppError<FileStoreErrorCode>`. */
  take(): StagedFile {
    assert(!this.#isFlushing, "a body is whole when its flushes have ended");
    return onDisk("store what was received", () => {
      this.#requireGood();
      if (this.path === undefined) this.#descriptor = this.#open(this.#store.staged.newPart());
      if (!this.#store.flushed) this.#close();
      const file = new StagedFile(this.#store, this.path as string, this.#descriptor);
      this.#descriptor = undefined;
      this.path = undefined;
      return file;
    });
  }

  drop(): void {
    // A descriptor in a flush may not become another file's meanwhile.
    if (this.#isFlushing) this.#closesLater = this.#descriptor;
    else if (this.#descriptor !== undefined) this.#store.staged.close(this.#descriptor);
    this.#descriptor = undefined;
    if (this.path !== undefined) this.#store.staged.drop(this.path);
    this.path = undefined;
  }

  #open(path: string): FileDescriptor {
    const descriptor = this.#store.files.open(path, "create");
    this.path = path;
    return descriptor;
  }

  #close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) this.#store.files.close(descriptor);
  }
}
