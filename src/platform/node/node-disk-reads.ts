/**
 * Reads past the page cache: with O_DIRECT where the file system takes it, which neither fills the cache nor drops what is in it. Elsewhere
 * through the cache, whose pages of the range are given back before and after (`posix_fadvise`), so that the disk is asked; that costs
 * whoever had the file in the cache one more read. Direct reads that are told in advance are begun at once, where the kernel takes them
 * (`node-read-queue.ts`). Files are opened without noting the access, since looking at all files would else write
 * to each of them. One object a thread.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { getSystemErrorName } from "node:util";
import {
  type DiskFile,
  type DiskFileFacts,
  type DiskReads,
  maxDiskRead,
} from "#platform/disk-reads.ts";
import { FileError, type FileStat } from "#platform/files.ts";
import { fileError } from "#platform/node/node-files.ts";
import {
  readAlignment as alignment,
  openReadQueue,
  type QueuedRead,
  type ReadQueue,
} from "#platform/node/node-read-queue.ts";

/** Gives pages of a file in the cache back; see `SystemCalls.forget`. */
export type ForgetPages = (descriptor: number, position: number, length: number) => void;

/** With what alignment adds on both sides. */
const largestRead = maxDiskRead + 2 * alignment;

const baseFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** Not every system has them, or lets everybody use them. */
const noAccessTime = constants.O_NOATIME ?? 0;
const direct = constants.O_DIRECT ?? 0;

export class NodeDiskReads implements DiskReads {
  readonly #forget: ForgetPages;
  /** Page-aligned, with room for what alignment adds on both sides. */
  #buffer: Buffer | undefined;
  #directWorks = direct !== 0;
  /** Not asked for yet; undefined where there is none. */
  #queue: ReadQueue | undefined | "unasked" = "unasked";
  /** By path, in the order in which they are asked for. */
  readonly #expected = new Map<string, NodeDiskFile>();

  constructor(forget: ForgetPages = () => {}) {
    this.#forget = forget;
  }

  open(path: string): DiskFile {
    const expected = this.#expected.get(path);
    if (expected === undefined) return this.#open(path);
    this.#expected.delete(path);
    return expected;
  }

  expect(path: string, length: number): boolean {
    if (!this.#directWorks || this.#queueOrNone === undefined) return false;
    if (this.#expected.has(path)) return true;
    try {
      const file = this.#open(path);
      this.#expected.set(path, file);
      if (file.expect(length, 0)) return true;
      this.#drop(path, file);
      return false;
    } catch (error) {
      // Whoever opens it is told.
      return !(error instanceof FileError);
    }
  }

  begin(): void {
    if (this.#queue !== "unasked") this.#queue?.submit();
  }

  expectNothing(): void {
    for (const [path, file] of this.#expected) this.#drop(path, file);
  }

  close(): void {
    this.expectNothing();
    if (this.#queue !== "unasked") this.#queue?.close();
    this.#queue = undefined;
  }

  #drop(path: string, file: NodeDiskFile): void {
    this.#expected.delete(path);
    try {
      file.close();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
    }
  }

  get #queueOrNone(): ReadQueue | undefined {
    if (this.#queue === "unasked") this.#queue = openReadQueue(largestRead);
    return this.#queue;
  }

  #open(path: string): NodeDiskFile {
    const isDirect = this.#directWorks;
    let wasRefused = false;
    const descriptor = openQuietly(path, isDirect ? direct : 0, () => {
      wasRefused = true;
    });
    // Directories refuse it everywhere.
    if (wasRefused && fstatSync(descriptor).isFile()) this.#directWorks = false;
    return new NodeDiskFile({
      path,
      descriptor,
      buffer: this.#buffer ?? this.#makeBuffer(),
      isDirect: isDirect && !wasRefused,
      forget: this.#forget,
      queue: () => this.#queueOrNone,
    });
  }

  #makeBuffer(): Buffer {
    // What may grow is made of whole pages; Node gives no other memory that is known to be aligned.
    const memory = new ArrayBuffer(largestRead, { maxByteLength: largestRead });
    this.#buffer = Buffer.from(memory, 0, largestRead);
    return this.#buffer;
  }
}

/** Without what is refused: noting no access is the owner's right, direct reads are the file system's choice. */
function openQuietly(path: string, wanted: number, onNoDirect: () => void): number {
  let flags = baseFlags | wanted | noAccessTime;
  for (;;) {
    try {
      return openSync(path, flags);
    } catch (error) {
      const failure = fileError(error, path);
      if (failure.code === "EPERM" && noAccessTime !== 0 && (flags & noAccessTime) !== 0) {
        flags &= ~noAccessTime;
      } else if (failure.code === "EINVAL" && direct !== 0 && (flags & direct) !== 0) {
        flags &= ~direct;
        onNoDirect();
      } else {
        throw failure;
      }
    }
  }
}

interface NodeDiskFileParts {
  readonly path: string;
  readonly descriptor: number;
  readonly buffer: Buffer;
  readonly isDirect: boolean;
  readonly forget: ForgetPages;
  readonly queue: () => ReadQueue | undefined;
}

class NodeDiskFile implements DiskFile {
  readonly #path: string;
  readonly #buffer: Buffer;
  readonly #forget: ForgetPages;
  readonly #queue: () => ReadQueue | undefined;
  #descriptor: number;
  #isDirect: boolean;
  /** Begun and not asked for yet, few; and the one that was asked for last. */
  #begun: QueuedRead[] = [];
  #looked: QueuedRead | undefined;

  constructor(parts: NodeDiskFileParts) {
    this.#path = parts.path;
    this.#descriptor = parts.descriptor;
    this.#buffer = parts.buffer;
    this.#isDirect = parts.isDirect;
    this.#forget = parts.forget;
    this.#queue = parts.queue;
  }

  facts(): DiskFileFacts {
    try {
      const stats = fstatSync(this.#descriptor, { bigint: true });
      return {
        kind: kindOf(stats),
        sizeBytes: Number(stats.size),
        modifiedNs: stats.mtimeNs,
        changedNs: stats.ctimeNs,
        inode: Number(stats.ino),
      };
    } catch (error) {
      throw fileError(error, this.#path);
    }
  }

  size(): number | undefined {
    try {
      const stats = fstatSync(this.#descriptor);
      return stats.isFile() ? stats.size : undefined;
    } catch (error) {
      throw fileError(error, this.#path);
    }
  }

  read(length: number, position: number): Buffer {
    const wanted = Math.min(length, maxDiskRead);
    try {
      return this.#isDirect
        ? this.#readDirect(wanted, position)
        : this.#readCached(wanted, position);
    } catch (error) {
      const failure = fileError(error, this.#path);
      if (failure.code !== "EINVAL" || !this.#isDirect) throw failure;
      // Some take the flag and no such read.
      this.#reopen();
      return this.read(length, position);
    }
  }

  ahead(length: number, position: number): void {
    if (this.expect(length, position)) this.#queue()?.submit();
  }

  /** As `ahead`, with the next one that is begun. */
  expect(length: number, position: number): boolean {
    if (!this.#isDirect || length <= 0) return false;
    const range = alignedRange(Math.min(length, maxDiskRead), position);
    if (this.#begun.some((read) => read.position === range.position)) return true;
    const begun = this.#queue()?.begin(this.#descriptor, range);
    if (begun === undefined) return false;
    this.#begun.push(begun);
    return true;
  }

  close(): void {
    this.#letGo();
    this.#letGoBegun();
    try {
      closeSync(this.#descriptor);
    } catch (error) {
      throw fileError(error, this.#path);
    }
  }

  #readDirect(wanted: number, position: number): Buffer {
    const { position: start, length } = alignedRange(wanted, position);
    const skipped = position - start;
    this.#letGo();
    const begun = this.#takeBegun(start, skipped + wanted);
    const bytes = begun ?? this.#buffer.subarray(0, this.#fill(length, start));
    return bytes.subarray(Math.min(skipped, bytes.length), skipped + wanted);
  }

  /** Undefined where it was not begun, or did not give all: then it is read in the ordinary way. Throws `FileError`. */
  #takeBegun(start: number, wanted: number): Buffer | undefined {
    const read = this.#begun.shift();
    if (read === undefined) return undefined;
    if (read.position !== start || read.length < wanted) {
      // Somebody goes on elsewhere.
      read.release();
      this.#letGoBegun();
      return undefined;
    }
    this.#looked = read;
    const got = read.wait();
    if (got < 0) throw new FileError(getSystemErrorName(got), readFailed(got, this.#path));
    // Less than all is the end only where it lies within a block.
    if (got < wanted && got % alignment === 0) return undefined;
    return read.bytes.subarray(0, got);
  }

  #letGoBegun(): void {
    for (const read of this.#begun) read.release();
    this.#begun = [];
  }

  #letGo(): void {
    this.#looked?.release();
    this.#looked = undefined;
  }

  #readCached(wanted: number, position: number): Buffer {
    this.#forget(this.#descriptor, position, wanted);
    const got = this.#fill(wanted, position);
    this.#forget(this.#descriptor, position, wanted);
    return this.#buffer.subarray(0, got);
  }

  #fill(length: number, position: number): number {
    let done = 0;
    while (done < length) {
      const got = readSync(this.#descriptor, this.#buffer, done, length - done, position + done);
      done += got;
      // The end: direct reads end there in the middle of a block, and cannot go on from there.
      if (got === 0 || done % alignment !== 0) break;
    }
    return done;
  }

  #reopen(): void {
    this.#letGoBegun();
    const descriptor = openQuietly(this.#path, 0, () => {});
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#isDirect = false;
  }
}

function alignedRange(wanted: number, position: number): { position: number; length: number } {
  const skipped = position % alignment;
  const length = Math.ceil((skipped + wanted) / alignment) * alignment;
  return { position: position - skipped, length };
}

function readFailed(errno: number, path: string): string {
  return `${getSystemErrorName(errno)}: the disk did not give ${path}`;
}

function kindOf(stats: {
  isFile: Stats["isFile"];
  isDirectory: Stats["isDirectory"];
  isSymbolicLink: Stats["isSymbolicLink"];
}): FileStat["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "link" : "other";
}
