/**
 * Files of the person at the command line: asynchronous, one at a time, on whatever disk. Data disks of the daemon are served
 * by `files.ts` instead. Failures are `FileError`s with the errno name.
 */

export interface LocalFileStat {
  readonly kind: "file" | "directory" | "other";
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
}

export interface LocalFile extends AsyncDisposable {
  /** Bytes put into `target`; 0 only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes everything or rejects. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /** The content is on stable storage when this resolves. */
  flush(): Promise<void>;
  stat(): Promise<LocalFileStat>;
  close(): Promise<void>;
}

/** `create` rejects with EEXIST where something is; `update` makes the file where there is none and keeps what it has. */
export type LocalOpenMode = "read" | "create" | "update";

export interface FileSystemFacts {
  /** As the kernel calls it: `ext4`, `xfs`, `tmpfs`; empty where it does not tell. */
  readonly type: string;
  readonly mountPoint: string;
  /** What is mounted there, such as `/dev/sda1`; empty where the system does not tell. */
  readonly source: string;
  readonly totalBytes: number;
  /** What an unprivileged writer may still use. */
  readonly freeBytes: number;
  /** Files that can still be made; undefined where the file system has no such limit. */
  readonly freeInodes: number | undefined;
  /** The same for paths on the same file system. */
  readonly device: number;
}

export interface LocalFiles {
  open(path: string, mode: LocalOpenMode): Promise<LocalFile>;
  /** Undefined where nothing is. */
  stat(path: string): Promise<LocalFileStat | undefined>;
  rename(from: string, to: string): Promise<void>;
  /** False where nothing was. */
  remove(path: string): Promise<boolean>;
  /** Undefined where nothing is. */
  readText(path: string): Promise<string | undefined>;
  /** Replaces what was there as a whole. */
  writeText(path: string, text: string): Promise<void>;
  /** A file for the life of this process that has no name. */
  openTemporary(): Promise<LocalFile>;
  /** Of the directory, or of the nearest one above it that exists. */
  fileSystemOf(path: string): Promise<FileSystemFacts>;
  /** Makes and removes a file in a directory; rejects where that fails. */
  probeWrite(directory: string): Promise<void>;
}
