/**
 * One end of a simulated connection. Ends as those of TCP do: orderly from both sides, by a reset that reaches the other end or is
 * lost on the way, or never, where the other machine is gone without a word.
 */
import type { Connection } from "#platform/network.ts";
import { BytePipe, type PipeLink } from "./byte-pipe.ts";
import { type Life, oneIn, type World } from "./world.ts";

export interface EndOptions {
  readonly world: World;
  readonly label: string;
  /** The process that owns it. */
  readonly life: Life;
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  /** From here to the other end. */
  readonly link: PipeLink;
  /** An end that was accepted stays open when the other one sends no more. */
  readonly allowHalfOpen: boolean;
  /** Its machine is switched on, with or without the process. */
  readonly isUp: () => boolean;
}

/** What arrives at a machine that is off is sent again after so long. */
const resendMs = 2000;

const nothing = (): void => {};

export class SimulatedConnection implements Connection {
  onReceive: (chunk: Uint8Array) => void = nothing;
  onEnd: () => void = nothing;
  onClose: (error: Error | undefined) => void = nothing;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly life: Life;
  readonly #options: EndOptions;
  #other: SimulatedConnection | undefined;
  #out: BytePipe | undefined;
  #corked: { readonly bytes: Uint8Array; readonly done: (() => void) | undefined }[] | undefined;
  #paused = false;
  #closed = false;
  #told = false;
  #receivedEnd = false;
  #sentEnd = false;
  /** Both ends know no more of each other: for the fabric to forget. */
  onGone: () => void = nothing;

  constructor(options: EndOptions) {
    const { local, remote, life } = options;
    this.#options = options;
    this.remoteAddress = remote.address;
    this.remotePort = remote.port;
    this.localAddress = local.address;
    this.localPort = local.port;
    this.life = life;
  }

  /** Joins two ends. */
  static join(one: SimulatedConnection, other: SimulatedConnection): void {
    one.#meet(other);
    other.#meet(one);
  }

  #meet(other: SimulatedConnection): void {
    const { world, label, link } = this.#options;
    this.#other = other;
    this.#out = new BytePipe({
      world,
      label,
      link,
      sender: this.life,
      receiver: other.life,
      wants: () => !other.#paused || other.#closed,
      deliver: (bytes) => other.#received(bytes, this),
      ended: () => other.#ended(),
      orphaned: () => other.#refuse(this),
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  get unsentBytes(): number {
    const corked = this.#corked?.reduce((sum, { bytes }) => sum + bytes.length, 0) ?? 0;
    return corked + (this.#out?.unsentBytes ?? 0);
  }

  write(bytes: Uint8Array, done?: () => void): void {
    if (this.#closed || this.life.ended) {
      done?.();
    } else if (this.#corked === undefined) {
      this.#out?.write(bytes, done);
    } else {
      this.#corked.push({ bytes, done });
    }
  }

  cork(): void {
    this.#corked ??= [];
  }

  uncork(): void {
    const corked = this.#corked ?? [];
    this.#corked = undefined;
    for (const { bytes, done } of corked) this.write(bytes, done);
  }

  pauseReceiving(): void {
    this.#paused = true;
  }

  resumeReceiving(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const other = this.#other;
    if (other !== undefined) other.#out?.pull();
  }

  end(): void {
    if (this.#sentEnd || this.#closed) return;
    this.uncork();
    this.#sentEnd = true;
    this.#out?.end();
    if (this.#receivedEnd) this.#close(undefined);
  }

  destroy(): void {
    if (this.#closed) return;
    this.uncork();
    this.#sentEnd = true;
    this.#out?.abandon();
    this.#close(undefined);
  }

  /** The process that owned it is gone, and its kernel says so: by an orderly end, or by a reset where bytes were left unread. */
  processEnded(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#told = true;
    if (oneIn(this.#options.world.random, 2)) this.#out?.abandon();
    else if (this.#other !== undefined) this.#refuse(this.#other);
    this.onGone();
  }

  /** The machine is gone without a word. */
  machineLost(): void {
    this.#closed = true;
    this.#told = true;
    this.#out?.cut();
    this.onGone();
  }

  /** Something on the way or at the other end broke it. */
  reset(why: string): void {
    if (this.#closed) return;
    this.#out?.cut();
    this.#close(Object.assign(new Error(`${why} (simulated)`), { code: "ECONNRESET" }));
  }

  #close(error: Error | undefined): void {
    this.#closed = true;
    const { world, label } = this.#options;
    world.at(0, { life: this.life, label: `${label} closed` }, () => {
      if (this.#told) return;
      this.#told = true;
      this.onClose(error);
      this.onGone();
    });
  }

  #received(bytes: Buffer, from: SimulatedConnection): void {
    if (!this.#closed) {
      this.onReceive(bytes);
      return;
    }
    this.#refuse(from);
  }

  /** Nobody is here any more: the other end hears of that as soon as it can. */
  #refuse(from: SimulatedConnection): void {
    const { world, label, link, isUp } = this.#options;
    if (from.closed) return;
    const delayMs = isUp() ? link.delayMs(0) : undefined;
    if (delayMs === undefined) {
      world.at(resendMs, { life: from.life, label: `${label} is not there` }, () =>
        this.#refuse(from),
      );
      return;
    }
    world.at(delayMs, { life: from.life, label: `${label} refuses` }, () =>
      from.reset("connection reset by peer"),
    );
  }

  #ended(): void {
    if (this.#receivedEnd) return;
    this.#receivedEnd = true;
    if (this.#closed) return;
    this.onEnd();
    if (!this.#options.allowHalfOpen) this.end();
    if (this.#sentEnd) this.#close(undefined);
  }
}
