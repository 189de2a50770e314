/**
 * Time and chance of a simulated world: events one after the other on one thread, each followed by everything that its promises
 * lead to, before the next one begins. Nothing in it knows real time, so that a seed decides everything. Each event belongs to a
 * life, such as a process: those of ended lives never happen, those of stopped ones wait.
 */
import type { Random } from "#platform/random.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { EventQueue } from "./event-queue.ts";
import { Trace } from "./trace.ts";

/** After so many events in a row the process's own event loop has a turn: it has signals and messages to look after. */
const eventsInARow = 2000;
/** A world that has more of them runs in circles. */
const maxEvents = 2_000_000;

/** A process, or whatever else ends as a whole. */
export class Life {
  readonly name: string;
  readonly #onEnd: (() => void)[] = [];
  #ended = false;
  #stopped = false;
  /** What fell due while it was stopped, in order. */
  readonly waiting: WorldEvent[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Nothing of it happens any more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.waiting.length = 0;
    for (const task of this.#onEnd) task();
  }

  onEnd(task: () => void): void {
    this.#onEnd.push(task);
  }

  /** As SIGSTOP does. */
  stop(): void {
    this.#stopped = true;
  }

  /** As SIGCONT does; `World.resume` has what waited happen. */
  goOn(): void {
    this.#stopped = false;
  }
}

export interface WorldEvent {
  readonly atMs: number;
  readonly order: number;
  readonly life: Life | undefined;
  readonly label: string;
  readonly task: () => void;
  cancelled: boolean;
}

export interface Owner {
  readonly life: Life | undefined;
  /** In the trace. */
  readonly label: string;
}

export interface Handle {
  cancel(): void;
}

export class World {
  readonly seed: number;
  readonly random: Random;
  readonly trace = new Trace();
  readonly #events = new EventQueue<WorldEvent>();
  /** An error that nobody caught in a life: in a real process, its end. */
  onCrash: (life: Life | undefined, error: unknown) => void;
  #nowMs = 0;
  #order = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.random = seededRandom(seed);
    this.onCrash = (_life, error) => {
      throw error;
    };
  }

  /** True time since the begin, which nobody in the world can see. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** A source of its own, so that one who asks more often changes nothing for the others. */
  newRandom(): Random {
    return seededRandom(this.random.below(2 ** 32));
  }

  /** `life` undefined: it happens whoever lives. */
  at(delayMs: number, { life, label }: Owner, task: () => void): Handle {
    this.#order += 1;
    const atMs = this.#nowMs + Math.max(0, delayMs);
    const event = { atMs, order: this.#order, life, label, task, cancelled: false };
    this.#events.add(event);
    return {
      cancel: () => {
        event.cancelled = true;
      },
    };
  }

  note(text: string): void {
    this.trace.note(this.#nowMs, text);
  }

  /** What waited while the life was stopped happens now, in its order. */
  resume(life: Life): void {
    life.goOn();
    for (const { label, task } of life.waiting.splice(0)) this.at(0, { life, label }, task);
  }

  /** Lets time pass until `isOver` says so. Rejects where nothing is left to happen. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let count = 0;
      const step = (): void => {
        try {
          if (isOver()) {
            resolve();
            return;
          }
          if (!this.#next()) throw new Error("nothing is left to happen in this world");
        } catch (error) {
          reject(error);
          return;
        }
        count += 1;
        // A microtask that asks for the next tick has it run when there are no microtasks left: the event is over by then.
        if (count % eventsInARow === 0) setImmediate(step);
        else queueMicrotask(() => process.nextTick(step));
      };
      setImmediate(step);
    });
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    let over = false;
    this.at(ms, { life: undefined, label: "passed" }, () => {
      over = true;
    });
    await this.run(() => over || this.#nowMs > end);
  }

  #next(): boolean {
    const event = this.#events.take();
    if (event === undefined) return false;
    const { life } = event;
    if (event.cancelled || life?.ended === true) return true;
    this.#nowMs = event.atMs;
    if (life?.stopped === true) {
      life.waiting.push(event);
      return true;
    }
    this.trace.event(event.atMs, event.label);
    if (this.trace.events > maxEvents) throw new Error(`runs in circles, last by ${event.label}`);
    try {
      event.task();
    } catch (error) {
      if (!hasEnded(life)) this.onCrash(life, error);
    }
    return true;
  }
}

/** Asked anew: what it did may have ended it. */
function hasEnded(life: Life | undefined): boolean {
  return life?.ended === true;
}

/** True once in `of` times. */
export function oneIn(random: Random, of: number): boolean {
  return random.below(of) === 0;
}

/** A number from `low` to `high`, the smaller the likelier. */
export function skewed(random: Random, low: number, high: number): number {
  const fraction = random.below(1 << 20) / (1 << 20);
  return low + (high - low) * fraction ** 3;
}

export function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new Error("nothing to choose from");
  return item;
}
