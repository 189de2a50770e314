/**
 * The kernel's and udev's own files, below `/sys`, `/proc` and `/run`. Reading most of them touches no disk; the functions that may
 * wait for one resolve later, and may never do so: whoever calls them sets a deadline, and gives up the process where it passes.
 */

export interface Space {
  readonly totalBytes: number;
  /** What an unprivileged writer may still use. */
  readonly freeBytes: number;
}

export interface SystemFiles {
  /** At most 1 MiB of a file; undefined where there is none, or it cannot be read. Bytes that are no UTF-8 are replaced. */
  readText(path: string): string | undefined;
  /** As `readText`, of a file behind which a device is asked. */
  readTextLater(path: string): Promise<string | undefined>;
  /** Names in a directory, sorted; empty where there is none. */
  list(path: string): readonly string[];
  /** The path without symbolic links; undefined where it leads nowhere. */
  resolve(path: string): string | undefined;
  /** Of the file system mounted at `path`. Rejects with the system's error. */
  space(path: string): Promise<Space>;
}
