/**
 * Files through `node:fs`'s synchronous calls, and the claim on a directory. One object a thread: worker threads block in it,
 * the main thread never calls it. Every failure leaves as a `FileError` with the errno's name.
 *
 * A claim is a lock that the kernel holds on an open file, because nothing else ends with its holder whatever ends that: a file
 * with a process number in it says nothing about processes of another container, and taking over a stale one is a race. Node
 * offers no file locks of its own, but the SQLite that is built into it takes them (fcntl, exclusive while a transaction is open):
 * the claim is such a transaction on an empty database that nobody ever writes. It also holds between threads of a process. The
 * kernel drops it as soon as *any* descriptor of that file is closed in this process, so nobody else may open the file.
 */
import {
  accessSync,
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  statfsSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import {
  type Expansion,
  type FileDescriptor,
  FileError,
  type FileStat,
  type FileSystemSpace,
  type Files,
  type OpenMode,
} from "#platform/files.ts";
import { isRotational } from "#platform/node/block-queue.ts";
import { GzipExpansion } from "#platform/node/gzip-expansion.ts";
import { mounting } from "#platform/node/mounting.ts";

const openFlags: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY | constants.O_NONBLOCK,
  create: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
  write: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  append: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
  "read-write": constants.O_RDWR | constants.O_NONBLOCK,
};

/** Whatever the file system's own blocks are. */
const blockBytes = 512;
const fileMode = 0o644;
const ownerMode = 0o600;
const directoryMode = 0o755;

/** The file in a claimed directory that carries the lock. */
export const claimFilename = "claim";

export class NodeFiles implements Files, Disposable {
  /** The open transactions; a claim ends when its database is closed or collected. */
  readonly #claims = new Map<string, DatabaseSync>();

  open(path: string, mode: OpenMode, forOwner = false): FileDescriptor {
    try {
      return openSync(path, openFlags[mode], forOwner ? ownerMode : fileMode);
    } catch (error) {
      throw fileError(error, path);
    }
  }

  close(descriptor: FileDescriptor): void {
    try {
      closeSync(descriptor);
    } catch (error) {
      throw fileError(error);
    }
  }

  read(descriptor: FileDescriptor, target: Uint8Array, position: number): number {
    try {
      let done = 0;
      while (done < target.length) {
        const got = readSync(descriptor, target, done, target.length - done, position + done);
        if (got === 0) break;
        done += got;
      }
      return done;
    } catch (error) {
      throw fileError(error);
    }
  }

  readOnce(descriptor: FileDescriptor, target: Uint8Array, length: number): number {
    try {
      return readSync(descriptor, target, 0, length, 0);
    } catch (error) {
      throw fileError(error);
    }
  }

  write(descriptor: FileDescriptor, bytes: Uint8Array, position?: number): void {
    try {
      let done = 0;
      while (done < bytes.length) {
        const place = position === undefined ? null : position + done;
        done += writeSync(descriptor, bytes, done, bytes.length - done, place);
      }
    } catch (error) {
      throw fileError(error);
    }
  }

  truncate(descriptor: FileDescriptor, sizeBytes: number): void {
    try {
      ftruncateSync(descriptor, sizeBytes);
    } catch (error) {
      throw fileError(error);
    }
  }

  flush(descriptor: FileDescriptor): void {
    try {
      fdatasyncSync(descriptor);
    } catch (error) {
      throw fileError(error);
    }
  }

  flushDirectory(path: string): void {
    try {
      const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      throw fileError(error, path);
    }
  }

  stat(path: string, follow: boolean): FileStat | undefined {
    try {
      const stats = follow
        ? statSync(path, { throwIfNoEntry: false })
        : lstatSync(path, { throwIfNoEntry: false });
      return stats === undefined ? undefined : fileStat(stats);
    } catch (error) {
      throw fileError(error, path);
    }
  }

  statDescriptor(descriptor: FileDescriptor): FileStat {
    try {
      return fileStat(fstatSync(descriptor));
    } catch (error) {
      throw fileError(error);
    }
  }

  setModified(path: string, seconds: number): void {
    try {
      utimesSync(path, seconds, seconds);
    } catch (error) {
      throw fileError(error, path);
    }
  }

  rename(from: string, to: string): void {
    try {
      renameSync(from, to);
    } catch (error) {
      throw fileError(error, from);
    }
  }

  remove(path: string): boolean {
    try {
      unlinkSync(path);
      return true;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return false;
      throw fileError(error, path);
    }
  }

  removeDirectory(path: string): void {
    try {
      rmdirSync(path);
    } catch (error) {
      throw fileError(error, path);
    }
  }

  makeDirectory(path: string): void {
    try {
      mkdirSync(path, directoryMode);
    } catch (error) {
      throw fileError(error, path);
    }
  }

  list(path: string): string[] | undefined {
    try {
      return readdirSync(path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw fileError(error, path);
    }
  }

  makeLink(path: string, target: string): void {
    try {
      symlinkSync(target, path);
    } catch (error) {
      throw fileError(error, path);
    }
  }

  makeHardLink(path: string, existing: string): void {
    try {
      linkSync(existing, path);
    } catch (error) {
      throw fileError(error, existing);
    }
  }

  readLink(path: string): string {
    try {
      return readlinkSync(path);
    } catch (error) {
      throw fileError(error, path);
    }
  }

  space(path: string): FileSystemSpace {
    try {
      const { bsize, blocks, bavail } = statfsSync(path);
      return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
    } catch (error) {
      throw fileError(error, path);
    }
  }

  isRotational(path: string): boolean | undefined {
    try {
      return isRotational(statSync(path).dev);
    } catch {
      // Nothing there, or nothing that we may see: it cannot be told.
      return undefined;
    }
  }

  mounting(path: string): string | undefined {
    try {
      return mounting(statSync(path).dev);
    } catch {
      // As before.
      return undefined;
    }
  }

  expand(from: string, to: string, maxBytes: number): Expansion {
    try {
      return new GzipExpansion(from, to, maxBytes);
    } catch (error) {
      throw fileError(error, from);
    }
  }

  claim(path: string): void {
    if (this.#claims.has(path)) return;
    try {
      // SQLite says little about why it cannot make a file; the system says it here.
      accessSync(path, constants.W_OK | constants.X_OK);
    } catch (error) {
      throw fileError(error, path);
    }
    this.#claims.set(path, lockDatabase(`${path}/${claimFilename}`));
  }

  /** Gives the claims up. The end of the thread does so as well. */
  [Symbol.dispose](): void {
    for (const database of this.#claims.values()) database.close();
    this.#claims.clear();
  }
}

/** SQLite's primary result codes that say more than "failed". */
const sqliteCodes: ReadonlyMap<number, string> = new Map([
  [5, "EBUSY"],
  [8, "EROFS"],
  [13, "ENOSPC"],
]);

function lockDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database?.close();
    const result =
      error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
    const code = sqliteCodes.get(result ?? 0) ?? "EIO";
    throw new FileError(code, `${code}: cannot lock ${path}: ${String(error)}`, path);
  }
}

function fileStat(stats: Stats): FileStat {
  const kind = stats.isFile()
    ? "file"
    : stats.isDirectory()
      ? "directory"
      : stats.isSymbolicLink()
        ? "link"
        : "other";
  return {
    kind,
    sizeBytes: stats.size,
    allocatedBytes: stats.blocks * blockBytes,
    modifiedSeconds: Math.floor(stats.mtimeMs / 1000),
    changedSeconds: Math.floor(stats.ctimeMs / 1000),
    device: stats.dev,
    inode: stats.ino,
    links: stats.nlink,
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

export function fileError(error: unknown, path?: string): FileError {
  if (error instanceof FileError) return error;
  const code = codeOf(error) ?? "EIO";
  // Names with NUL never reach the system; Node refuses them under a name of its own.
  const errno = code.startsWith("ERR_") ? "EINVAL" : code;
  return new FileError(errno, error instanceof Error ? error.message : String(error), path);
}
