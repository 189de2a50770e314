/**
 * Devices that the kernel is to write nothing to while somebody looks at what is on them. A read-only mount is no promise: ext4 notes an error
 * that it finds in its superblock, unless the device itself is read-only. What was made read-only is noted below root's directory first, so
 * that a helper that was killed leaves nobody's disk so; what others made read-only stays so.
 */
import { posix } from "node:path";
import { describeError } from "#base/app-error.ts";
import { readShape, record, text, wholeNumber } from "#base/schema.ts";
import { isDeviceName } from "#disks/helper-protocol.ts";
import { helperError } from "#helper/errors.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import { isMounted, unmountPlace } from "#helper/mount-places.ts";
import { runProgram } from "#helper/run-program.ts";
import { makeDirectories, readWhole, writeWhole } from "#helper/work-notes.ts";
import { FileError } from "#platform/files.ts";

const limits = { deadlineMs: 20_000 };
const maxNoteBytes = 1024;
const maxNotes = 64;

const noteShape = record({ device: text({ maxLength: 32 }), sequence: wholeNumber() });

/** A device that is open, so that its name stays its own. */
export interface ProtectedDevice {
  readonly name: string;
  readonly sequence: number;
}

export class WriteProtection {
  readonly #world: HelperWorld;
  /** Between being protected and being mounted. */
  readonly #wanted = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();
  #isSwept = false;

  constructor(world: HelperWorld) {
    this.#world = world;
  }

  /** Of one who looks, or mounts to look: below root's own directory, and nobody's but the helper's. */
  get lookDirectory(): string {
    return posix.join(this.#world.settings.stateDirectory, "look");
  }

  /**
   * Nothing can be written to the device while `work` runs, and after it for as long as it is mounted: then `settle` ends it. Rejects with
   * `in-use` where somebody else uses the device.
   */
  async during<T>(device: ProtectedDevice, work: () => Promise<T>): Promise<T> {
    await this.settle();
    this.#wanted.add(device.name);
    try {
      await this.#inTurn(() => this.#protect(device));
      return await work();
    } finally {
      this.#wanted.delete(device.name);
      await this.settle();
    }
  }

  /** Whatever was made read-only and is not mounted any more can be written to again: also what an earlier helper has left. */
  async settle(): Promise<void> {
    await this.#inTurn(async () => {
      if (!this.#isSwept) await this.#sweep();
      this.#isSwept = true;
      for (const name of this.#noted()) await this.#endOf(name);
    });
  }

  /** One at a time: what one found is so until it has acted on it. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(act);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Places where an earlier helper was looking when it ended. */
  async #sweep(): Promise<void> {
    const { files, log } = this.#world;
    for (const name of files.list(this.lookDirectory) ?? []) {
      const directory = posix.join(this.lookDirectory, name);
      try {
        await unmountPlace(this.#world, directory);
        files.removeDirectory(directory);
      } catch (error) {
        log.warn("look-not-ended", { directory, why: describeError(error) });
      }
    }
  }

  async #protect({ name, sequence }: ProtectedDevice): Promise<void> {
    const world = this.#world;
    const state = world.system.readText(`/sys/class/block/${name}/ro`)?.trim();
    if (state === "1") return;
    await requireUnused(world, name);
    makeDirectories(world.files, this.#directory);
    const path = posix.join(this.#directory, `${name}.json`);
    writeWhole(world.files, path, `${JSON.stringify({ device: name, sequence })}\n`);
    world.files.flushDirectory(this.#directory);
    try {
      await runProgram(world, ["blockdev", "--setro", `/dev/${name}`], limits);
    } catch (error) {
      world.files.remove(path);
      throw error;
    }
  }

  async #endOf(name: string): Promise<void> {
    const { files, log, system } = this.#world;
    if (this.#wanted.has(name) || isMounted(this.#world, name)) return;
    const path = posix.join(this.#directory, `${name}.json`);
    // A device that went took it along; one that has its name now, such as another card in the same reader, may have it from it.
    if (system.readText(`/sys/class/block/${name}/dev`) !== undefined) {
      try {
        await runProgram(this.#world, ["blockdev", "--setrw", `/dev/${name}`], limits);
      } catch (error) {
        log.error("still-read-only", { disk: name, why: describeError(error) });
        return;
      }
    }
    files.remove(path);
  }

  get #directory(): string {
    return posix.join(this.#world.settings.stateDirectory, "read-only");
  }

  #noted(): readonly string[] {
    const { files } = this.#world;
    const names = (files.list(this.#directory) ?? []).slice(0, maxNotes);
    return names.flatMap((file) => {
      const name = /^(.+)\.json$/.exec(file)?.[1];
      if (name === undefined || !isDeviceName(name)) return [];
      return this.#isWhole(posix.join(this.#directory, file), name) ? [name] : [];
    });
  }

  /** What was not written to its end was not acted on. */
  #isWhole(path: string, name: string): boolean {
    try {
      const note: unknown = JSON.parse(readWhole(this.#world.files, path, maxNoteBytes) ?? "");
      return readShape(noteShape, note, { what: "note", surplus: "drop" }).device === name;
    } catch {
      this.#world.files.remove(path);
      return false;
    }
  }
}

/** What somebody has mounted, or made something of, would fail under them. */
async function requireUnused(world: HelperWorld, name: string): Promise<void> {
  try {
    await (await world.devices.open(`/dev/${name}`, "look-alone")).close();
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== "EBUSY") throw error;
    throw helperError("in-use", `${name} is in use by somebody else, and is not looked into`);
  }
}
