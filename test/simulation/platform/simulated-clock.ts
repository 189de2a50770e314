/**
 * The clocks of a simulated machine: a wall clock that is set back and forth, and a monotonic one; both run a little fast or slow.
 * Timers belong to the process that set them.
 */
import type { Clock, Timer } from "#platform/clock.ts";
import type { Life, World } from "./world.ts";

const ticksPerMs = 1024;

export class MachineTime {
  readonly #world: World;
  /** Seconds of its own in a true one. */
  readonly rate: number;
  #wallOffsetMs: number;
  readonly #monotonicOffsetMs: number;

  constructor(world: World, options: { readonly rate: number; readonly wallMs: number }) {
    this.#world = world;
    this.rate = options.rate;
    this.#wallOffsetMs = options.wallMs - world.nowMs * options.rate;
    this.#monotonicOffsetMs = world.random.below(1_000_000) - world.nowMs * options.rate;
  }

  wallMs(): number {
    return Math.floor(this.#world.nowMs * this.rate + this.#wallOffsetMs);
  }

  monotonicMs(): number {
    // In whole parts of a power of two, so that sums and differences are exact: no rest of a wait is too small to pass.
    const ms = this.#world.nowMs * this.rate + this.#monotonicOffsetMs;
    return Math.floor(ms * ticksPerMs) / ticksPerMs;
  }

  /** Somebody sets the wall clock. */
  step(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  setWall(ms: number): void {
    this.#wallOffsetMs += ms - this.wallMs();
  }
}

export class SimulatedClock implements Clock {
  readonly #world: World;
  readonly #time: MachineTime;
  readonly #life: Life;

  constructor(world: World, time: MachineTime, life: Life) {
    this.#world = world;
    this.#time = time;
    this.#life = life;
  }

  nowMs(): number {
    return this.#time.wallMs();
  }

  monotonicMs(): number {
    return this.#time.monotonicMs();
  }

  /** Node's timers know whole milliseconds, and fire a little late. */
  after(delayMs: number, task: () => void): Timer {
    return this.#world.at(
      this.#trueMs(delayMs),
      { life: this.#life, label: `${this.#life.name} timer` },
      task,
    );
  }

  every(periodMs: number, task: () => void): Timer {
    let timer: Timer | undefined;
    const arm = (): void => {
      timer = this.after(periodMs, () => {
        arm();
        task();
      });
    };
    arm();
    return {
      cancel: () => {
        timer?.cancel();
      },
    };
  }

  #trueMs(delayMs: number): number {
    const late = this.#world.random.below(1000) / 1000;
    return Math.max(1, Math.trunc(delayMs)) / this.#time.rate + late;
  }
}
