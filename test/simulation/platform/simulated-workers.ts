/**
 * Store-path workers without threads: the real loop over a simulated disk, turn by turn. A turn lasts as long as its file calls took;
 * a disk that stands still has none. How the two ends of a ring rouse each other is decided here as well.
 */
import { RingReader } from "#filestore/ring.ts";
import { openWorker } from "#filestore/worker/open-worker.ts";
import type { WorkerLoop } from "#filestore/worker/worker-loop.ts";
import type { StorePathThreadData } from "#filestore/worker-messages.ts";
import type { ThreadWaits, Workers, WorkerThread } from "#platform/workers.ts";
import type { MachineTime } from "./simulated-clock.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import { type DatabaseDisk, SimulatedDatabases } from "./simulated-databases.ts";
import { ProcessGone, type SimulatedDisk } from "./simulated-disk.ts";
import { SimulatedFiles } from "./simulated-files.ts";
import { SimulatedFlusher } from "./simulated-flusher.ts";
import type { Handle, Life, World } from "./world.ts";

/** A thread that is roused runs this much later at most. */
const maxWakeMs = 0.1;
const openMs = 2;

export interface WorkerMachine {
  readonly world: World;
  readonly life: Life;
  readonly time: MachineTime;
  readonly databases: DatabaseDisk;
  diskOf(directory: string): SimulatedDisk;
}

export class SimulatedWorkers implements Workers {
  readonly #machine: WorkerMachine;
  readonly waits: ThreadWaits;

  constructor(machine: WorkerMachine) {
    this.#machine = machine;
    this.waits = new SimulatedWaits(machine.world, machine.life);
  }

  readonly afterTurn = (task: () => void): void => {
    const { world, life } = this.#machine;
    world.at(0, { life, label: `${life.name} turn ends` }, task);
  };

  start(_entry: "store-path-worker", data: unknown): WorkerThread {
    return new SimulatedWorker(this.#machine, this.waits, data as StorePathThreadData);
  }
}

class SimulatedWaits implements ThreadWaits {
  readonly #world: World;
  readonly #life: Life;
  readonly #waiting = new WeakMap<ArrayBufferLike, Map<number, (() => void)[]>>();

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  waitAsync(words: Int32Array, index: number): Promise<unknown> | undefined {
    if (words[index] !== 1) return undefined;
    let places = this.#waiting.get(words.buffer);
    if (places === undefined) {
      places = new Map();
      this.#waiting.set(words.buffer, places);
    }
    const waiting = places.get(index) ?? [];
    places.set(index, waiting);
    return new Promise<void>((resolve) => waiting.push(resolve));
  }

  notify(words: Int32Array, index: number): void {
    const waiting = this.#waiting.get(words.buffer)?.get(index)?.splice(0) ?? [];
    const ms = (this.#world.random.below(1000) / 1000) * maxWakeMs;
    for (const wake of waiting)
      this.#world.at(ms, { life: this.#life, label: `${this.#life.name} wakes` }, wake);
  }
}

class SimulatedWorker implements WorkerThread {
  onMessage: (message: unknown) => void = () => {};
  onExit: (error: Error | undefined) => void = () => {};
  readonly #machine: WorkerMachine;
  readonly #disk: SimulatedDisk;
  readonly #files: SimulatedFiles;
  readonly #flusher: SimulatedFlusher;
  readonly #requests: RingReader;
  #loop: WorkerLoop | undefined;
  #next: { readonly atMs: number; readonly handle: Handle } | undefined;
  #ended = false;

  constructor(machine: WorkerMachine, waits: ThreadWaits, data: StorePathThreadData) {
    this.#machine = machine;
    const { world, life, time } = machine;
    this.#disk = machine.diskOf(data.settings.directory);
    this.#files = new SimulatedFiles(this.#disk, life, time);
    this.#flusher = new SimulatedFlusher(this.#disk, this.#files, life);
    this.#flusher.perform = (task) => {
      this.#guarded(task);
      this.#turnIn(0);
    };
    this.#requests = new RingReader(data.requests, waits);
    life.onEnd(() => this.#files.closeAll());
    world.at(openMs, { life, label: `${this.#disk.name} opens` }, () => this.#open(data, waits));
  }

  #open(data: StorePathThreadData, waits: ThreadWaits): void {
    if (this.#disk.hangs) {
      this.#later(() => this.#open(data, waits));
      return;
    }
    const { world, life, time, databases } = this.#machine;
    this.#guarded(() => {
      this.#loop = openWorker(data, {
        files: this.#files,
        flusher: this.#flusher,
        clock: new SimulatedClock(world, time, life),
        random: world.newRandom(),
        databases: () => new SimulatedDatabases(databases, life),
        post: (message) => {
          world.at(0, { life, label: `${this.#disk.name} posts` }, () => this.onMessage(message));
        },
        waits,
      });
      if (this.#loop === undefined) this.#exit(undefined);
      else this.#turnIn(this.#files.takeCost());
    });
  }

  /** When the disk answers again. */
  #later(task: () => void): void {
    const { world, life } = this.#machine;
    this.#disk.whenAnswering(() =>
      world.at(0, { life, label: `${this.#disk.name} goes on` }, task),
    );
  }

  /** A turn is due by then at the latest. */
  #turnIn(ms: number): void {
    const { world, life } = this.#machine;
    const atMs = world.nowMs + ms;
    if (this.#ended || (this.#next !== undefined && this.#next.atMs <= atMs)) return;
    this.#next?.handle.cancel();
    const handle = world.at(ms, { life, label: `${this.#disk.name} turn` }, () => {
      this.#next = undefined;
      this.#turn();
    });
    this.#next = { atMs, handle };
  }

  #turn(): void {
    const loop = this.#loop;
    if (this.#ended || loop === undefined) return;
    if (this.#disk.hangs) {
      this.#later(() => this.#turn());
      return;
    }
    this.#guarded(() => {
      this.#requests.stayAwake();
      const more = loop.turn();
      const costMs = this.#files.takeCost();
      if (loop.closed) {
        this.#exit(undefined);
      } else if (more) {
        this.#turnIn(costMs);
      } else {
        this.#rest(loop, costMs);
      }
    });
  }

  #rest(loop: WorkerLoop, costMs: number): void {
    const waits = this.#requests.waitOnce(() => this.#turnIn(0));
    if (!waits) this.#turnIn(costMs);
    const { sleepMs } = loop;
    // While a flush is in flight the next one waits for its end, which brings a turn of its own.
    const waitsForFlush = sleepMs === 0 && this.#flusher.inFlight > 0;
    if (sleepMs !== undefined && sleepMs !== Number.POSITIVE_INFINITY && !waitsForFlush) {
      this.#turnIn(Math.max(costMs, sleepMs / this.#machine.time.rate, 0.01));
    }
  }

  #guarded(task: () => void): void {
    try {
      task();
    } catch (error) {
      if (error instanceof ProcessGone || this.#machine.life.ended) return;
      this.#machine.world.onCrash(this.#machine.life, error);
      this.#exit(error as Error);
    }
  }

  #exit(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#next?.handle.cancel();
    const { world, life } = this.#machine;
    world.at(0, { life, label: `${this.#disk.name} exits` }, () => this.onExit(error));
    this.#files.closeAll();
  }
}
