/**
 * A machine for the helper that exists in memory: one disk, the kernel's files about it, and programs. Whatever would change the disk is
 * counted, so that a test can say that nothing did.
 */
import { Log } from "#base/log.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import type { BlockDevices, DeviceOpenMode, OpenBlockDevice } from "#platform/block-devices.ts";
import type { Commands } from "#platform/commands.ts";
import { FileError } from "#platform/files.ts";
import type { SystemFiles } from "#platform/system-files.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryFiles } from "./memory-files.ts";
import { seededRandom } from "./seeded-random.ts";

export interface DiskState {
  readonly name: string;
  readonly sequence: number;
  readonly model: string;
  readonly serial: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** Mount points of the disk. */
  readonly mounts: readonly string[];
  readonly holder: string | undefined;
  readonly swap: boolean;
  /** Somebody has claimed it. */
  readonly claimed: boolean;
  /** Everything else is zero. */
  readonly content: readonly { readonly atBytes: number; readonly bytes: Uint8Array }[];
  readonly changedSectors: number;
  /** What blkid says. */
  readonly blkid: string | undefined;
  readonly missing: readonly string[];
}

/** Programs that only look. */
const looks = new Set(["blkid", "lsblk", "stat", "udevadm", "smartctl", "umount"]);

export class HelperMachine {
  disk: DiskState;
  /** What would have changed the disk, in words. */
  readonly changes: string[] = [];
  /** Every program that was run. */
  readonly programs: string[] = [];
  readonly clock = new ManualClock();
  readonly files = new MemoryFiles();
  readonly world: HelperWorld;
  /** By `blockdev --setro`. */
  isProtected = false;

  constructor(disk: DiskState) {
    this.disk = disk;
    this.world = {
      clock: this.clock,
      random: seededRandom(1),
      log: new Log("helper", () => {}),
      commands: this.#commands(),
      devices: this.#devices(),
      system: this.#system(),
      files: this.files,
      settings: { mountDirectory: "/mounts", stateDirectory: "/state", owner: undefined },
    };
  }

  #devices(): BlockDevices {
    return {
      open: async (path, mode: DeviceOpenMode): Promise<OpenBlockDevice> => {
        if (path !== `/dev/${this.disk.name}`) throw new FileError("ENOENT", `ENOENT: ${path}`);
        const isUsed = this.disk.claimed || this.disk.mounts.length > 0;
        if (mode !== "look" && isUsed) throw new FileError("EBUSY", `EBUSY: ${path}`);
        if (mode === "claim" && this.disk.readOnly) throw new FileError("EROFS", "EROFS");
        const { sizeBytes } = this.disk;
        return {
          ...{ major: 8, minor: 16 },
          read: async (target, position) => {
            const length = Math.max(0, Math.min(target.length, sizeBytes - position));
            target.fill(0, 0, length);
            for (const { atBytes, bytes } of this.disk.content) {
              for (const [index, byte] of bytes.entries()) {
                const at = atBytes + index - position;
                if (at >= 0 && at < length) target[at] = byte;
              }
            }
            return length;
          },
          write: async (bytes, position) => {
            this.changes.push(`${bytes.length} bytes at ${position}`);
          },
          flush: async () => {},
          close: async () => {},
          [Symbol.asyncDispose]: async () => {},
        };
      },
    };
  }

  #commands(): Commands {
    return {
      run: async (program, parameters) => {
        const line = [program, ...parameters].join(" ");
        this.programs.push(line);
        if (program === "blockdev") return this.#protect(parameters);
        // A mount for looking changes nothing; in this machine it never succeeds.
        const isLook = program === "mount" && parameters[3]?.startsWith("ro,");
        if (!looks.has(program) && !isLook) this.changes.push(line);
        if (program === "blkid") {
          const { blkid } = this.disk;
          return { code: blkid === undefined ? 2 : 0, stdout: `TYPE=${blkid}\n`, stderr: "" };
        }
        if (program === "lsblk") return { code: 0, stdout: this.#lsblk(), stderr: "" };
        if (program === "stat") {
          const paths = parameters.slice(parameters.indexOf("--") + 1);
          return { code: 0, stdout: paths.map(() => "0 755 directory\n").join(""), stderr: "" };
        }
        return { code: 1, stdout: "", stderr: "not in this machine" };
      },
    };
  }

  /** What is looked into is read-only to the kernel meanwhile, and nothing that anybody uses. */
  #protect([order = "", path]: readonly string[]) {
    const isUsed = this.disk.claimed || this.disk.mounts.length > 0;
    const isMeant = path === `/dev/${this.disk.name}` && /^--setr[ow]$/.test(order);
    if (!isMeant || (order === "--setro" && isUsed)) this.changes.push(`blockdev ${order} ${path}`);
    this.isProtected = order === "--setro";
    return { code: 0, stdout: "", stderr: "" };
  }

  #lsblk(): string {
    const { name, model, serial } = this.disk;
    return JSON.stringify({ blockdevices: [{ name, kname: name, type: "disk", model, serial }] });
  }

  #system(): SystemFiles {
    return {
      readText: (path) => this.#text(path),
      readTextLater: (path) => Promise.resolve(this.#text(path)),
      list: (path) => {
        if (path === "/sys/block") return [this.disk.name];
        const isHolders = path === `/sys/block/${this.disk.name}/holders`;
        return isHolders && this.disk.holder !== undefined ? [this.disk.holder] : [];
      },
      resolve: (path) => path,
      space: () => Promise.reject(new Error("not asked for")),
    };
  }

  #text(path: string): string | undefined {
    const { name, missing, sequence, sizeBytes, mounts, swap, readOnly, changedSectors } =
      this.disk;
    if (missing.includes(path)) return undefined;
    const base = `/sys/block/${name}`;
    const texts: Readonly<Record<string, string>> = {
      [`${base}/dev`]: "8:16\n",
      [`/sys/class/block/${name}/dev`]: "8:16\n",
      [`/sys/class/block/${name}/ro`]: readOnly || this.isProtected ? "1\n" : "0\n",
      [`${base}/size`]: `${sizeBytes / 512}\n`,
      [`${base}/diskseq`]: `${sequence}\n`,
      [`${base}/ro`]: readOnly ? "1\n" : "0\n",
      [`${base}/stat`]: `1 1 1 1 1 1 ${changedSectors} 1 1 1 1 0 0 0 0\n`,
      "/proc/swaps": `Filename Type Size\n${swap ? `/dev/${name} partition 1\n` : ""}`,
      "/proc/self/mountinfo": [
        "1 1 0:5 / / rw - tmpfs tmpfs rw",
        ...mounts.map((point) => `2 1 8:16 / ${point} rw - ext4 /dev/${name} rw`),
      ].join("\n"),
    };
    return texts[path];
  }
}
