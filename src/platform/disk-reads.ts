/**
 * Reading files as they are on the disk, past the page cache: for those who look whether the disk still gives what it was given. What
 * others have in the cache stays there as far as the system allows, and nothing that is read is put into it. Synchronous, for the thread
 * that owns the disk.
 */
import { FileError, type FileStat, type Files } from "#platform/files.ts";

export interface DiskFileFacts {
  readonly kind: FileStat["kind"];
  readonly sizeBytes: number;
  /** Nanoseconds since 1970, as far as the file system keeps them. */
  readonly modifiedNs: bigint;
  /** When anything about it changed last; nobody can set it. */
  readonly changedNs: bigint;
  readonly inode: number;
}

/** An open file; a symbolic link is not followed. All calls throw `FileError`. */
export interface DiskFile {
  /** Asked anew at each call. */
  facts(): DiskFileFacts;
  /** As `facts`, for those who want no more than that: undefined where it is no regular file. */
  size(): number | undefined;
  /** At most `maxDiskRead` bytes; fewer than asked for only at the end. They stay until the next `read` of any file. */
  read(length: number, position: number): Buffer;
  /** What is read next: the disk may begin with it. Does nothing where that is not possible, or there is no room. Throws nothing. */
  readonly ahead?: (length: number, position: number) => void;
  close(): void;
}

export interface DiskReads {
  /** Throws `FileError`: ELOOP for a symbolic link. */
  open(path: string): DiskFile;
  /**
   * A file that is opened soon, whose first `length` bytes are read then: the disk may begin with it, with `begin` at the latest. False where that is not possible, or
   * there is no room for it now. Throws nothing.
   */
  readonly expect?: (path: string, length: number) => boolean;
  /** No more is expected for now: what is begun together costs less. */
  readonly begin?: () => void;
  /** Nothing of what was expected is opened any more. */
  readonly expectNothing?: () => void;
  /** Waits for what was begun; then it is not to be used any more. */
  readonly close?: () => void;
}

/** One call reads no more. */
export const maxDiskRead = 1024 * 1024;

const nsPerSecond = 1_000_000_000n;

/** By way of `files`, whose cache serves: for simulated disks, and systems where nothing else works. */
export function cachedReads(files: Files): DiskReads {
  let buffer: Buffer | undefined;
  return {
    open: (path) => {
      const found = files.stat(path, false);
      if (found?.kind === "link") throw new FileError("ELOOP", `ELOOP: ${path} is a link`, path);
      const descriptor = files.open(path, "read");
      return {
        facts: () => {
          const stat = files.statDescriptor(descriptor);
          return {
            kind: stat.kind,
            sizeBytes: stat.sizeBytes,
            modifiedNs: BigInt(stat.modifiedSeconds) * nsPerSecond,
            changedNs: BigInt(stat.changedSeconds) * nsPerSecond,
            inode: stat.inode,
          };
        },
        size: () => {
          const { kind, sizeBytes } = files.statDescriptor(descriptor);
          return kind === "file" ? sizeBytes : undefined;
        },
        read: (length, position) => {
          buffer ??= Buffer.alloc(maxDiskRead);
          const target = buffer.subarray(0, Math.min(length, maxDiskRead));
          return target.subarray(0, files.read(descriptor, target, position));
        },
        close: () => files.close(descriptor),
      };
    },
  };
}
