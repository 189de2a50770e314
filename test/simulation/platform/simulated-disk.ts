/**
 * A simulated disk with one store path on it: files in memory that forget what was not flushed, and the faults of disks: calls that
 * fail, a full disk, a disk that stands still, and power or process that end between any two calls, or within a write.
 */
import { FileError } from "#platform/files.ts";
import { MemoryFiles } from "../../support/memory-files.ts";
import { oneIn, type World } from "./world.ts";

/** How a process ends in the middle of a file call. */
export class ProcessGone extends Error {}

export class SimulatedDisk {
  readonly world: World;
  readonly name: string;
  /** Where its store path lies. */
  readonly directory: string;
  memory: MemoryFiles;
  full = false;
  /** One writing call in so many fails with EIO; 0: none. */
  failsOneIn = 0;
  /** One flush in so many fails; 0: none. */
  flushFailsOneIn = 0;
  /** Times as slow. */
  slowness = 1;
  #hangs = false;
  readonly #waiting: (() => void)[] = [];
  /** After so many calls `#end` is called, in the middle of a write where it is one. */
  #callsLeft: number | undefined;
  #end: (() => void) | undefined;

  constructor(world: World, name: string, directory: string) {
    this.world = world;
    this.name = name;
    this.directory = directory;
    this.memory = new MemoryFiles(...parents(directory));
  }

  get hangs(): boolean {
    return this.#hangs;
  }

  hang(): void {
    this.#hangs = true;
  }

  goOn(): void {
    this.#hangs = false;
    for (const task of this.#waiting.splice(0)) task();
  }

  /** Calls `task` once when the disk answers again. */
  whenAnswering(task: () => void): void {
    this.#waiting.push(task);
  }

  /** The process that uses it is ended by `end`, after so many further calls. */
  endAfter(calls: number, end: () => void): void {
    this.#callsLeft = calls;
    this.#end = end;
  }

  disarm(): void {
    this.#callsLeft = undefined;
    this.#end = undefined;
  }

  /** True once: now the process ends. */
  strikesNow(): boolean {
    if (this.#callsLeft === undefined) return false;
    this.#callsLeft -= 1;
    return this.#callsLeft <= 0;
  }

  strike(): never {
    const end = this.#end;
    this.disarm();
    end?.();
    throw new ProcessGone(`the process ended while it used ${this.name}`);
  }

  /** Throws where a call that writes fails. */
  checkWriting(path: string): void {
    if (this.full) throw new FileError("ENOSPC", `ENOSPC: ${path} (simulated)`, path);
    if (this.failsOneIn > 0 && oneIn(this.world.random, this.failsOneIn)) {
      throw new FileError("EIO", `EIO: ${path} (simulated)`, path);
    }
  }

  flushFailure(path: string): FileError | undefined {
    if (this.flushFailsOneIn === 0 || !oneIn(this.world.random, this.flushFailsOneIn)) {
      return undefined;
    }
    return new FileError("EIO", `EIO: flush of ${path} (simulated)`, path);
  }

  /** What was not flushed is there or not, as chance has it. */
  powerLost(): void {
    this.memory.powerCut(this.world.random);
  }

  /** Another, empty disk in its place. */
  replace(): void {
    this.memory = new MemoryFiles(...parents(this.directory));
  }

  heal(): void {
    this.full = false;
    this.failsOneIn = 0;
    this.flushFailsOneIn = 0;
    this.slowness = 1;
    this.disarm();
    if (this.#hangs) this.goOn();
  }
}

/** The directory and those above it, the highest first. */
function parents(directory: string): string[] {
  const names = directory.split("/").slice(1);
  return names.map((_name, index) => `/${names.slice(0, index + 1).join("/")}`);
}
