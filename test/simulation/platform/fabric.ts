/**
 * The simulated network between machines: who listens where, how long segments take between two hosts, and what is broken just now.
 * Faults act on pairs of addresses in one direction: nothing passes (a partition, also one-way), segments are lost and come late,
 * the link is slow, segments are cut small.
 */
import type { PipeLink } from "./byte-pipe.ts";
import type { SimulatedConnection } from "./simulated-connection.ts";
import { type Life, oneIn, skewed, type World } from "./world.ts";

export interface LinkQuality {
  /** On the way, each. */
  readonly latencyMs: number;
  /** One segment in so many is lost; sent again, it comes 200 ms to 2 s later. 0: none. */
  readonly lossOneIn: number;
  readonly bytesPerMs: number;
  /** One segment in so many is cut anywhere. 0: none. */
  readonly fragmentOneIn: number;
}

export const goodLink: LinkQuality = {
  latencyMs: 0.2,
  lossOneIn: 0,
  bytesPerMs: 100_000,
  fragmentOneIn: 30,
};

export interface Listening {
  readonly life: Life;
  readonly onConnection: (connection: SimulatedConnection) => void;
}

/** After a partition ends, what was lost is sent again when its sender's patience is over. */
const maxResendMs = 3000;

class Link implements PipeLink {
  readonly #world: World;
  quality: LinkQuality = goodLink;
  #open = true;
  readonly #waiting: (() => void)[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  get open(): boolean {
    return this.#open;
  }

  delayMs(bytes: number): number | undefined {
    if (!this.#open) return undefined;
    const { random } = this.#world;
    const { latencyMs, lossOneIn, bytesPerMs } = this.quality;
    const again = lossOneIn > 0 && oneIn(random, lossOneIn) ? skewed(random, 200, 2000) : 0;
    return latencyMs * skewed(random, 0.5, 3) + bytes / bytesPerMs + again;
  }

  whenOpen(task: () => void): void {
    this.#waiting.push(task);
  }

  fragment(): number | undefined {
    const { random } = this.#world;
    const { fragmentOneIn } = this.quality;
    if (fragmentOneIn === 0 || !oneIn(random, fragmentOneIn)) return undefined;
    return 1 + Math.floor(skewed(random, 0, 4000));
  }

  close(): void {
    this.#open = false;
  }

  reopen(): void {
    if (this.#open) return;
    this.#open = true;
    for (const task of this.#waiting.splice(0)) {
      this.#world.at(
        skewed(this.#world.random, 1, maxResendMs),
        { life: undefined, label: "sent again" },
        task,
      );
    }
  }
}

export class Fabric {
  readonly #world: World;
  readonly #links = new Map<string, Link>();
  readonly #listening = new Map<string, Listening>();
  readonly #connections = new Set<SimulatedConnection>();
  /** Machines that are switched on, by address. */
  readonly #up = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Both ends of those that are open. */
  get connectionEnds(): number {
    return this.#connections.size;
  }

  link(from: string, to: string): Link {
    const key = `${from}>${to}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new Link(this.#world);
      this.#links.set(key, link);
    }
    return link;
  }

  block(from: string, to: string): void {
    this.link(from, to).close();
  }

  unblock(from: string, to: string): void {
    this.link(from, to).reopen();
  }

  setQuality(from: string, to: string, quality: LinkQuality): void {
    this.link(from, to).quality = quality;
  }

  /** Everything passes everywhere, sooner or later. */
  get isWhole(): boolean {
    return [...this.#links.values()].every(({ open }) => open);
  }

  healAll(): void {
    for (const link of this.#links.values()) {
      link.quality = goodLink;
      link.reopen();
    }
  }

  /** Breaks each connection between the two, as a router does that forgets them. */
  resetBetween(one: string, other: string): void {
    for (const end of [...this.#connections]) {
      if (end.localAddress === one && end.remoteAddress === other) end.reset("connection lost");
      if (end.localAddress === other && end.remoteAddress === one) end.reset("connection lost");
    }
  }

  switchOn(address: string): void {
    this.#up.add(address);
  }

  /** The power goes: nobody hears of it. */
  switchOff(address: string): void {
    this.#up.delete(address);
    for (const end of this.#endsOf(address)) end.machineLost();
    this.#forgetListeners(address, () => true);
  }

  /** A process ended; the kernel of its machine tells its peers. */
  processEnded(address: string, life: Life): void {
    for (const end of this.#endsOf(address)) if (end.life === life) end.processEnded();
    this.#forgetListeners(address, (listening) => listening.life === life);
  }

  isUp(address: string): boolean {
    return this.#up.has(address);
  }

  listeningAt(address: string, port: number): Listening | undefined {
    return this.#listening.get(`${address}:${port}`);
  }

  listen(address: string, port: number, listening: Listening): void {
    this.#listening.set(`${address}:${port}`, listening);
  }

  stopListening(address: string, port: number): void {
    this.#listening.delete(`${address}:${port}`);
  }

  track(end: SimulatedConnection): void {
    this.#connections.add(end);
    end.onGone = () => this.#connections.delete(end);
  }

  #endsOf(address: string): SimulatedConnection[] {
    return [...this.#connections].filter(({ localAddress }) => localAddress === address);
  }

  #forgetListeners(address: string, isGone: (listening: Listening) => boolean): void {
    for (const [place, listening] of [...this.#listening]) {
      if (place.startsWith(`${address}:`) && isGone(listening)) this.#listening.delete(place);
    }
  }
}
