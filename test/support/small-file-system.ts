/** A file system of its own in a file, for tests of full and of failing disks. Needs the rights of root and `mkfs.ext4`. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type Need, program, programPath, root } from "./needs.ts";

export const smallFileSystemNeeds: readonly Need[] = [
  root(),
  program("mkfs.ext4", { apt: "e2fsprogs" }),
  program("mount", { apt: "mount" }),
];

/** For `freeze`. */
export const freezableFileSystemNeeds: readonly Need[] = [
  ...smallFileSystemNeeds,
  program("fsfreeze", { apt: "util-linux" }),
];

const limitMs = 20_000;

export class SmallFileSystem implements Disposable {
  readonly path: string;
  readonly #folder: string;
  #frozen = false;

  constructor(sizeMiB: number) {
    this.#folder = mkdtempSync(join(tmpdir(), "cairn-disk-"));
    this.path = join(this.#folder, "mounted");
    const image = join(this.#folder, "image");
    mkdirSync(this.path);
    writeFileSync(image, "");
    truncateSync(image, sizeMiB * 1024 * 1024);
    run("mkfs.ext4", "-q", "-m", "0", image);
    this.#mount();
  }

  #mount(): void {
    const image = join(this.#folder, "image");
    run("mount", "-o", "loop,errors=remount-ro", image, this.path);
  }

  /** For file systems that nobody writes to. */
  remount(mode: "ro" | "rw"): void {
    run("mount", "-o", `remount,${mode}`, this.path);
  }

  /** What the kernel does when it finds an error on the disk: read-only at once, whoever writes. `mend` ends it. */
  breakDown(): void {
    const device = execFileSync("findmnt", ["-n", "-o", "SOURCE", this.path], { encoding: "utf8" });
    const name = basename(device.trim());
    writeFileSync(`/sys/fs/ext4/${name}/trigger_fs_error`, "test\n");
  }

  /** Mounted anew; who has files open on it keeps the broken one. */
  mend(): void {
    run("umount", "-l", this.path);
    this.#mount();
  }

  /** Whoever writes from now on hangs in the kernel, as on a disk that does not answer; not even SIGKILL wakes him. */
  freeze(): void {
    run("fsfreeze", "--freeze", this.path);
    this.#frozen = true;
  }

  thaw(): void {
    if (!this.#frozen) return;
    run("fsfreeze", "--unfreeze", this.path);
    this.#frozen = false;
  }

  [Symbol.dispose](): void {
    this.thaw();
    run("umount", "-l", this.path);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function run(name: string, ...args: readonly string[]): void {
  execFileSync(programPath(name) ?? name, args, { timeout: limitMs, stdio: "pipe" });
}
