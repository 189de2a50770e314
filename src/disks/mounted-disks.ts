/**
 * Finds the disks of the node that are mounted, each in a directory of the mount directory, by their passports. Whatever touches such a disk
 * is a child process with a deadline: one that hangs delays nobody. Main thread.
 */
import { posix } from "node:path";
import { AppError, describeError, hasCode } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import {
  choosePassport,
  passportDirectory,
  passportFilenames,
  passportLimits,
} from "#disks/passport.ts";
import type { DiskFinder, SeenDisk } from "#disks/seen-disk.ts";
import type { Commands } from "#platform/commands.ts";
import type { Host } from "#platform/host.ts";
import { parseMounts } from "#platform/mount-table.ts";

const readDeadlineMs = 5000;
const copyDeadlineMs = 120_000;
/** More directories are not looked into. */
const maxDisks = 64;

const mountTable = "/proc/self/mountinfo";

/** `source` as in the table of mounts; undefined where nothing is mounted there. */
type IsGone = (directory: string, source: string | undefined) => boolean;

export interface MountedDisksParts {
  readonly commands: Commands;
  readonly host: Pick<Host, "listDirectory" | "readText">;
  readonly log: Log;
  readonly mountDirectory: string;
}

export class MountedDisks implements DiskFinder {
  readonly #parts: MountedDisksParts;

  constructor(parts: MountedDisksParts) {
    this.#parts = parts;
  }

  /** Changes whenever `find` may find something else. Touches no disk. */
  get stamp(): string {
    const { host, mountDirectory } = this.#parts;
    const mounts = (host.readText(mountTable) ?? "")
      .split("\n")
      .filter((line) => line.includes(` ${mountDirectory}/`));
    return [...this.#names(), ...mounts].join("\n");
  }

  /** `isGone`: what is mounted there is not to be looked at, the disk was pulled. */
  async find(isGone: IsGone = () => false): Promise<readonly SeenDisk[]> {
    const { host, mountDirectory } = this.#parts;
    const mounts = parseMounts(host.readText(mountTable) ?? "");
    const names = this.#names().filter((name) => {
      const directory = posix.join(mountDirectory, name);
      return !isGone(directory, mounts.findLast(({ point }) => point === directory)?.source);
    });
    const seen = await Promise.all(names.map((name) => this.#look(name)));
    return seen.flatMap((disk) => disk ?? []);
  }

  /** Copies a file of the disk at `place` to the system's own; rejects where it cannot be read in time. */
  async copyFile(place: string, name: string, to: string): Promise<void> {
    const from = posix.join(place, passportDirectory, name);
    const { commands } = this.#parts;
    const options = { deadlineMs: copyDeadlineMs, maxOutputBytes: 4096 };
    const { code, stderr } = await commands.run("cp", ["--", from, to], options);
    if (code !== 0) {
      throw new AppError("disk-unreadable", `${from} cannot be copied: ${stderr.trim()}`);
    }
  }

  #names(): readonly string[] {
    const { host, mountDirectory } = this.#parts;
    return host.listDirectory(mountDirectory).slice(0, maxDisks);
  }

  async #look(name: string): Promise<SeenDisk | undefined> {
    const place = posix.join(this.#parts.mountDirectory, name);
    const common = { place, name: place, mountPoint: place };
    try {
      const texts = await Promise.all(passportFilenames.map((file) => this.#read(place, file)));
      const passport = choosePassport(texts);
      if (passport === undefined) return undefined;
      return { ...common, passport: { kind: "genuine", passport } };
    } catch (error) {
      if (!hasCode(error, "command-hung")) {
        return { ...common, passport: { kind: "unreadable", why: describeError(error) } };
      }
      this.#parts.log.warn("disk-silent", { place, afterMs: readDeadlineMs });
      return { ...common, passport: { kind: "silent" } };
    }
  }

  /** Undefined where there is none. */
  async #read(place: string, name: string): Promise<string | undefined> {
    const path = posix.join(place, passportDirectory, name);
    const options = { deadlineMs: readDeadlineMs, maxOutputBytes: passportLimits.textBytes };
    const { code, stdout, stderr } = await this.#parts.commands.run("cat", ["--", path], options);
    if (code === 0) return stdout;
    if (/no such file|not a directory/i.test(stderr)) return undefined;
    throw new AppError("disk-unreadable", `${path} cannot be read: ${stderr.trim()}`);
  }
}
