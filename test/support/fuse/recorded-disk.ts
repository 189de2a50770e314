/**
 * A disk of the test: an ext4 file system on a loop device on a file whose every write and flush is recorded by the FUSE server,
 * in the order in which the file system sent them. Flushes take a moment, as on real disks, so that writes meet them under way.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attachLoop, run } from "../loop-device.ts";
import { type Need, program } from "../needs.ts";
import { FuseMount, fuseNeeds } from "./fuse-mount.ts";

export const recordedDiskNeeds: readonly Need[] = [
  ...fuseNeeds,
  program("mkfs.ext4", { apt: "e2fsprogs" }),
  program("losetup", { apt: "mount" }),
];

const mebibyte = 1024 * 1024;

/** Memory, where the machine has it to spare: the images of a run are written over and over again. */
export function imageFolder(prefix: string, wantedBytes: number): string {
  const memory = "/dev/shm";
  const room = fs.existsSync(memory) ? fs.statfsSync(memory) : undefined;
  const fits = room !== undefined && room.bavail * room.bsize > wantedBytes;
  return fs.mkdtempSync(join(fits ? memory : tmpdir(), prefix));
}

export class RecordedDisk implements AsyncDisposable {
  /** Where the file system is mounted. */
  readonly path: string;
  /** The disk as it was before anything was recorded. */
  readonly pristine: string;
  readonly logPath: string;
  readonly #fuse: FuseMount;
  readonly #log: number;

  private constructor(folder: string, fuse: FuseMount) {
    this.path = join(folder, "mounted");
    this.pristine = join(folder, "pristine");
    this.logPath = join(folder, "log");
    this.#fuse = fuse;
    this.#log = fs.openSync(this.logPath, "r");
  }

  /**
   * `folder` gets everything: the disk, the log, the mount. The caller removes it. The disk is new, or begins as a copy of `image`, whose
   * journal is replayed by the mount.
   */
  static async start(
    folder: string,
    options: { readonly flushMs: number } & (
      | { readonly sizeMiB: number }
      | { readonly image: string }
    ),
  ): Promise<RecordedDisk> {
    const pristine = join(folder, "pristine");
    if ("image" in options) run("cp", "--sparse=always", options.image, pristine);
    else makeFileSystem(pristine, options.sizeMiB);
    const directory = join(folder, "disk");
    const log = join(folder, "log");
    for (const each of [directory, join(folder, "mounted")]) fs.mkdirSync(each);
    fs.writeFileSync(log, "");
    run("cp", "--sparse=always", pristine, join(directory, "disk"));
    const fuse = await FuseMount.start({ directory, log });
    try {
      const disk = new RecordedDisk(folder, fuse);
      await disk.#mount(options.flushMs);
      return disk;
    } catch (error) {
      await fuse[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #mount(flushMs: number): Promise<void> {
    const device = attachLoop("--direct-io=on", join(this.#fuse.path, "disk"));
    await this.#fuse.beforeUnmount("losetup", "-d", device);
    run("mount", "-t", "ext4", device, this.path);
    await this.#fuse.beforeUnmount("umount", "-l", this.path);
    await this.#fuse.inject({ operations: ["fsync"], action: { kind: "delay", ms: flushMs } });
  }

  /** How much of the log there is. Whoever is told of something now is told of it by no later moment than this. */
  position(): number {
    return fs.fstatSync(this.#log).size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    fs.closeSync(this.#log);
    await this.#fuse[Symbol.asyncDispose]();
  }
}

function makeFileSystem(path: string, sizeMiB: number): void {
  fs.writeFileSync(path, "");
  fs.truncateSync(path, sizeMiB * mebibyte);
  run("mkfs.ext4", "-q", "-m", "0", "-b", "4096", "-E", "nodiscard,lazy_itable_init=0", path);
}

/** An image of a disk, mounted as a machine mounts it after a power cut: without options, without a check before. */
export class MountedImage implements Disposable {
  readonly path: string;

  constructor(image: string, path: string) {
    this.path = path;
    fs.mkdirSync(path, { recursive: true });
    run("mount", "-t", "ext4", "-o", "loop", image, path);
  }

  [Symbol.dispose](): void {
    try {
      run("umount", this.path);
    } catch (error) {
      run("umount", "-l", this.path);
      throw error;
    }
  }
}
