/**
 * Flushes that end in any order, a while after they were asked for. What is on the disk for good afterwards is what was there when
 * the flush began, or when it ended, as chance has it. A disk that stands still ends none.
 */
import { FileError } from "#platform/files.ts";
import type { Flusher, FlushOutcome, FlushTarget } from "#platform/flusher.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";
import type { SimulatedFiles } from "./simulated-files.ts";
import { type Life, oneIn, skewed } from "./world.ts";

const fastestMs = 0.05;
const slowestMs = 4;

export class SimulatedFlusher implements Flusher {
  inFlight = 0;
  readonly #disk: SimulatedDisk;
  readonly #files: SimulatedFiles;
  readonly #life: Life;
  /** Runs what a flush leads to on the worker's thread, where an error ends the thread. */
  perform: (task: () => void) => void = (task) => task();

  constructor(disk: SimulatedDisk, files: SimulatedFiles, life: Life) {
    this.#disk = disk;
    this.#files = files;
    this.#life = life;
  }

  flush(targets: readonly FlushTarget[], done: (outcome: FlushOutcome) => void): void {
    const outcome: (FileError | undefined)[] = targets.map(() => undefined);
    let left = targets.length;
    this.inFlight += 1;
    for (const [index, target] of targets.entries()) {
      this.#begin(target, (error) => {
        outcome[index] = error;
        left -= 1;
        if (left > 0) return;
        this.inFlight -= 1;
        this.perform(() => done(outcome));
      });
    }
  }

  soon(task: () => void): void {
    this.#disk.world.at(0, { life: this.#life, label: `${this.#disk.name} soon` }, task);
  }

  #begin(target: FlushTarget, ended: (error: FileError | undefined) => void): void {
    const { world, name, slowness } = this.#disk;
    const atBegin = oneIn(world.random, 2) ? this.#snapshot(target) : undefined;
    const end = (): void => {
      if (this.#disk.hangs) {
        this.#disk.whenAnswering(() =>
          world.at(0, { life: this.#life, label: `${name} flushed late` }, end),
        );
        return;
      }
      const failure = this.#disk.flushFailure(target.path);
      ended(failure ?? this.#carryOut(atBegin ?? this.#snapshot(target)));
    };
    const ms = skewed(world.random, fastestMs, slowestMs) * slowness;
    world.at(ms, { life: this.#life, label: `${name} flushed` }, end);
  }

  #carryOut(flushed: (() => void) | FileError): FileError | undefined {
    if (flushed instanceof FileError) return flushed;
    flushed();
    return undefined;
  }

  #snapshot({ kind, path, descriptor }: FlushTarget): (() => void) | FileError {
    const { memory } = this.#files;
    try {
      if (kind === "directory") return memory.beginDirectoryFlush(path);
      return descriptor === undefined
        ? memory.beginFlush(path)
        : memory.beginDescriptorFlush(descriptor);
    } catch (error) {
      if (error instanceof FileError) return error;
      throw error;
    }
  }
}
