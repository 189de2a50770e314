/**
 * Synchronous file calls as a store-path worker makes them. A worker owns one disk, so blocking it delays nobody else
 * (performance notes §3). Failures are `FileError`s with the errno name. Simulation passes another implementation in.
 */
export type FileDescriptor = number;

export interface FileStat {
  readonly kind: "file" | "directory" | "link" | "other";
  readonly sizeBytes: number;
  /** Room that it takes on the disk: less than its size where it has holes. */
  readonly allocatedBytes: number;
  /** Whole seconds since 1970. */
  readonly modifiedSeconds: number;
  /** When anything about it changed last, by the system's clock: whole seconds since 1970. Nobody can set it. */
  readonly changedSeconds: number;
  /** Identity of the file system it lies on. */
  readonly device: number;
  readonly inode: number;
  /** Names that the file has. */
  readonly links: number;
}

export interface FileSystemSpace {
  readonly totalBytes: number;
  /** What an unprivileged writer may still use. */
  readonly freeBytes: number;
}

/**
 * `create` fails with EEXIST where something is. `write` begins an empty file in the place of what is there. `append` positions each
 * write at the end and makes the file where there is none. `read` and `read-write` take what is there, and never wait for the other
 * end of a pipe.
 */
export type OpenMode = "read" | "create" | "write" | "append" | "read-write";

export interface Files {
  /** `forOwner`: where it is made, nobody but the process's user may read it. */
  open(path: string, mode: OpenMode, forOwner?: boolean): FileDescriptor;
  close(descriptor: FileDescriptor): void;
  /** Bytes read; fewer than asked for only at the end of the file. */
  read(descriptor: FileDescriptor, target: Uint8Array, position: number): number;
  /** One call, from the file's begin: up to `length` bytes into `target`; fewer where the file ends, and where the system says so. */
  readOnce(descriptor: FileDescriptor, target: Uint8Array, length: number): number;
  /** Writes everything or throws. `position` undefined writes at the descriptor's own place. */
  write(descriptor: FileDescriptor, bytes: Uint8Array, position?: number): void;
  truncate(descriptor: FileDescriptor, sizeBytes: number): void;
  /** Data and what is needed to read it back are on stable storage when this returns. */
  flush(descriptor: FileDescriptor): void;
  /** The entries of a directory are on stable storage when this returns. */
  flushDirectory(path: string): void;
  /** Undefined where nothing is. `follow` resolves symbolic links. */
  stat(path: string, follow: boolean): FileStat | undefined;
  statDescriptor(descriptor: FileDescriptor): FileStat;
  setModified(path: string, seconds: number): void;
  rename(from: string, to: string): void;
  /** False where nothing was. */
  remove(path: string): boolean;
  removeDirectory(path: string): void;
  makeDirectory(path: string): void;
  /** Names in no particular order; undefined where there is no such directory. */
  list(path: string): string[] | undefined;
  makeLink(path: string, target: string): void;
  /**
   * Makes `path` another name of the file `existing`, on the same file system; a symbolic link is not followed. Throws EEXIST,
   * ENOENT, EMLINK where it has as many names as the file system allows, and EPERM or others where there are none.
   */
  makeHardLink(path: string, existing: string): void;
  readLink(path: string): string;
  space(path: string): FileSystemSpace;
  /** Whether it lies on a disk that turns; undefined where the system does not tell. Never fails. */
  isRotational(path: string): boolean | undefined;
  /**
   * Names the time for which the file system of `path` is mounted by this kernel, in one word. Where it is the same again, whatever was
   * written in between is on the disk or still in memory, unless the disk refused it. Undefined where the system does not tell. Never
   * fails.
   */
  mounting(path: string): string | undefined;
  /** Begins to write the content of the gzip file `from`, at most `maxBytes`, to the new file `to`. */
  expand(from: string, to: string, maxBytes: number): Expansion;
  /**
   * Takes an exclusive claim on a directory for the life of the process, or of this object where that ends before; throws EBUSY
   * where somebody else holds it. Claiming again what one holds changes nothing.
   */
  claim(path: string): void;
}

/** A gzip file that is being expanded, in bounded memory. To be stopped where it is not run to its end. */
export interface Expansion {
  /**
   * Goes on for some milliseconds. True once all of it is there; nothing is there where it throws: EINVAL where it is no gzip file, or a
   * damaged one, EFBIG where there is more in it, ENOENT, ENOSPC and others.
   */
  step(): boolean;
  /** Ends it; nothing is left of it where that was too early. */
  stop(): void;
}

/** A failed file call: `code` is the errno's name, such as ENOSPC. */
export class FileError extends Error {
  readonly code: string;
  readonly path: string | undefined;

  constructor(code: string, message: string, path?: string) {
    super(message);
    this.name = "FileError";
    this.code = code;
    this.path = path;
  }
}
