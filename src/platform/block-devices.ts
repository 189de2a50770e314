/**
 * Block devices as bytes. Whoever has one open keeps its name and number: the kernel gives neither to another disk before the last one
 * who has it open lets go, so that a check and what follows it are about the same disk. Failures are `FileError`s with the errno's name.
 */

/**
 * `look` reads, beside others. `claim` reads and writes and rejects with EBUSY while anybody else has claimed the device or a part of
 * it: mounted file systems, RAID, device mapper, swap and whoever claims as we do. `look-alone` claims as well, and only reads.
 */
export type DeviceOpenMode = "look" | "look-alone" | "claim";

export interface OpenBlockDevice extends AsyncDisposable {
  readonly major: number;
  readonly minor: number;
  /** Bytes put into `target`; fewer only at the end of the device. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes everything or rejects. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** What was written, through whomever, is on stable storage when this resolves. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface BlockDevices {
  /** Rejects with ENOTBLK where it is no block device, ELOOP where it is a symbolic link, ENOENT, EBUSY, EROFS and others. */
  open(path: string, mode: DeviceOpenMode): Promise<OpenBlockDevice>;
}
