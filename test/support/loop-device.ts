/**
 * Disks for tests: loop devices over sparse files in a folder of the test's own. The only devices that a test ever writes to; a path that
 * is none of these is refused here.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { file, type Need, program, programPath, root } from "./needs.ts";

export const loopNeeds: readonly Need[] = [
  root(),
  file("/dev/loop-control", "modprobe loop"),
  program("losetup", { apt: "mount" }),
  program("partx", { apt: "util-linux" }),
];

const limitMs = 30_000;

/** Runs a program of the system and gives back what it printed. */
export function run(name: string, ...args: readonly string[]): string {
  return execFileSync(programPath(name) ?? name, args, {
    timeout: limitMs,
    stdio: "pipe",
    encoding: "utf8",
  });
}

/**
 * Attaches what `losetup` is told to a free loop device and gives back its path. Whether a device is read-only stays with its name in the
 * kernel: one that was detached while a helper looked into it is handed to the next image so.
 */
export function attachLoop(...args: readonly string[]): string {
  const path = run("losetup", "--find", "--show", ...args).trim();
  if (!/^\/dev\/loop\d+$/.test(path)) throw new Error(`losetup answered ${path}`);
  run("blockdev", "--setrw", path);
  return path;
}

export class LoopDevice implements Disposable {
  readonly folder: string;
  readonly image: string;
  #path: string;

  constructor(sizeMiB: number) {
    this.folder = mkdtempSync(join(tmpdir(), "cairn-loop-"));
    this.image = join(this.folder, "image");
    writeFileSync(this.image, "");
    truncateSync(this.image, sizeMiB * 1024 * 1024);
    this.#path = this.#attach();
  }

  /** `/dev/loop7`. */
  get path(): string {
    return this.#path;
  }

  /** `loop7`. */
  get name(): string {
    return basename(this.#path);
  }

  get sequence(): number {
    return Number(readFileSync(`/sys/block/${this.name}/diskseq`, "utf8"));
  }

  /** Pulled and plugged in again, as another device perhaps. */
  replug(): void {
    this.#detach();
    this.#path = this.#attach();
  }

  #attach(): string {
    return attachLoop("--", this.image);
  }

  /** Wherever somebody has mounted it or a part of it. */
  unmount(): void {
    for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n").reverse()) {
      const source = line.split(" - ")[1]?.split(" ")[1] ?? "";
      const point = line.split(" ")[4] ?? "";
      if (source === this.#path || source.startsWith(`${this.#path}p`)) unmount(point);
    }
  }

  #detach(): void {
    this.unmount();
    // Where the kernel looks for no partitions by itself, it keeps those it was told of for the next disk of this name.
    spawnSync(programPath("partx") ?? "partx", ["--delete", this.#path], { timeout: limitMs });
    run("blockdev", "--setrw", this.#path);
    run("losetup", "--detach", this.#path);
  }

  /** Sectors that were ever written to it or discarded on it, once all that is held back was written. */
  changedSectors(): number {
    run("blockdev", "--flushbufs", this.#path);
    const numbers = readFileSync(`/sys/block/${this.name}/stat`, "utf8").trim().split(/\s+/);
    return Number(numbers[6]) + Number(numbers[13]);
  }

  [Symbol.dispose](): void {
    try {
      this.#detach();
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/** Whoever else looks into the disks of this machine, such as another node, may have taken its own mount away meanwhile. */
function unmount(point: string): void {
  try {
    run("umount", "--lazy", "--", point);
  } catch (error) {
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    if (mounts.some((line) => line.split(" ")[4] === point)) throw error;
  }
}
