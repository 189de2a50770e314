/**
 * What is remembered of looks into disks by `lsblk` and `blkid`, which may read them: one when a disk comes or changes, never in every round, and
 * nobody waits for one longer than for any other answer. In the probe child.
 */
import { describeError, hasCode } from "#base/app-error.ts";
import { type BlkidDevice, blkidParameters, parseBlkid } from "#disks/probe/blkid.ts";
import { probeLimits } from "#disks/probe/limits.ts";
import { type LsblkDevice, lsblkParameters, parseLsblk } from "#disks/probe/lsblk.ts";
import type { Commands } from "#platform/commands.ts";

/** What a look would find again. */
export interface LookSubject {
  readonly name: string;
  /** Changes when another look may find something else. */
  readonly stamp: string;
  /** Itself and its partitions, where udev does not say what is on them. */
  readonly unread: readonly string[];
}

interface Look {
  readonly stamp: string;
  readonly devices: readonly LsblkDevice[];
  readonly read: readonly BlkidDevice[];
  readonly problem: string | undefined;
}

export class DiskLooks {
  readonly #commands: Commands;
  /** Told when a look ended that nobody waited for any more. */
  readonly #onLate: (name: string) => void;
  readonly #known = new Map<string, Look>();
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #due = new Map<string, LookSubject>();
  readonly #missing = new Set<string>();

  constructor(commands: Commands, onLate: (name: string) => void) {
    this.#commands = commands;
    this.#onLate = onLate;
  }

  /** Begins what is due, and resolves when all of it has ended. */
  async refresh(subjects: readonly LookSubject[]): Promise<void> {
    const names = new Set(subjects.map(({ name }) => name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    for (const subject of subjects) {
      const isKnown = this.#known.get(subject.name)?.stamp === subject.stamp;
      if (!isKnown && !this.#underWay.has(subject.name)) this.#due.set(subject.name, subject);
    }
    for (const name of this.#due.keys()) if (!names.has(name)) this.#due.delete(name);
    this.#beginDue();
    // What ends makes room for the next ones.
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
  }

  #beginDue(): void {
    for (const [name, subject] of this.#due) {
      if (this.#underWay.size >= probeLimits.maxLooks) return;
      this.#due.delete(name);
      const end = this.#look(subject).finally(() => {
        this.#underWay.delete(name);
        this.#beginDue();
      });
      this.#underWay.set(name, end);
    }
  }

  /** The next round looks again. */
  forget(name: string): void {
    if (name === "*") this.#known.clear();
    else this.#known.delete(name);
  }

  /** By name of the kernel. */
  get devices(): ReadonlyMap<string, LsblkDevice> {
    const all = [...this.#known.values()].flatMap(({ devices }) => devices);
    return new Map(all.map((each) => [each.name, each]));
  }

  /** As `devices`. */
  get read(): ReadonlyMap<string, BlkidDevice> {
    const all = [...this.#known.values()].flatMap(({ read }) => read);
    return new Map(all.map((each) => [each.name, each]));
  }

  /** In words, where the last look failed or has not ended yet. */
  problemOf(name: string): string | undefined {
    return this.#known.get(name)?.problem;
  }

  /** Looks that are still waited for, with what was known before. */
  isUnderWay(name: string): boolean {
    return this.#underWay.has(name) || this.#due.has(name);
  }

  async #look({ name, stamp, unread }: LookSubject): Promise<void> {
    try {
      const [devices, read] = await Promise.all([
        this.#run("lsblk", lsblkParameters(`/dev/${name}`)),
        unread.length === 0 ? "" : this.#run("blkid", blkidParameters(unread)),
      ]);
      const found = { devices: parseLsblk(devices), read: parseBlkid(read) };
      this.#known.set(name, { stamp, ...found, problem: undefined });
    } catch (error) {
      const hangs = hasCode(error, "command-hung");
      const problem = hangs ? "reading its first blocks hangs" : describeError(error);
      this.#known.set(name, { stamp, devices: [], read: [], problem });
    }
    this.#onLate(name);
  }

  /** Nothing of a program that is not there: then udev's database and the kernel have to do. */
  async #run(program: string, parameters: readonly string[]): Promise<string> {
    if (this.#missing.has(program)) return "";
    try {
      const { stdout } = await this.#commands.run(program, parameters, {
        deadlineMs: probeLimits.lookMs,
        maxOutputBytes: probeLimits.maxOutputBytes,
      });
      return stdout;
    } catch (error) {
      if (!hasCode(error, "command-missing")) throw error;
      this.#missing.add(program);
      return "";
    }
  }
}
