/**
 * Files as far as the kernel has them in memory: what is read here never waits for a disk, so that the main thread may. Whatever would,
 * and whatever fails, is undefined or false: then the disk's own thread is to be asked, and says why.
 */

export interface ResidentStat {
  readonly sizeBytes: number;
  /** Whole seconds since 1970. */
  readonly modifiedSeconds: number;
}

/** Reads into one shared memory. */
export interface ResidentReader {
  /**
   * Puts the whole content of a file of exactly `sizeBytes` into the memory at `offset`, where there is room for one byte more. False
   * where it is not all in the kernel's memory, has another size, or is no file.
   */
  readWhole(path: string, offset: number, sizeBytes: number): boolean;
  /** Of a file with one name. */
  stat(path: string): ResidentStat | undefined;
}

export interface ResidentFiles {
  /**
   * Whether the file system with this number (`FileStat.device`) keeps that promise: a local one whose own part of opening a file
   * was looked at. One in user space answers an opening whenever it likes.
   */
  serves(device: number): boolean;
  readerInto(memory: SharedArrayBuffer): ResidentReader;
}
