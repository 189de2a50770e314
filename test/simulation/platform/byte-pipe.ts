/**
 * One direction of a simulated connection: bytes are taken by the sender's kernel as long as there is room, travel in segments that
 * arrive in order, and wait at the receiver while it reads nothing. What the link between the two hosts does decides when they
 * arrive. Bytes are copied when the kernel takes them, not before, so that whoever changes them too early is found out.
 */
import type { Life, World } from "./world.ts";

/** Of both kernels together. */
const roomBytes = 96 * 1024;
const maxSegmentBytes = 16 * 1024;

/** What a link says about a segment that is sent now: when it arrives, or that it is lost and sent again. */
export interface PipeLink {
  /** Milliseconds on the way; undefined while nothing passes. */
  delayMs(bytes: number): number | undefined;
  /** Calls `task` once when something may pass again. */
  whenOpen(task: () => void): void;
  /** A cut at which segments end now and then, or undefined. */
  fragment(): number | undefined;
}

export interface PipeEnds {
  readonly world: World;
  readonly label: string;
  readonly link: PipeLink;
  readonly sender: Life;
  readonly receiver: Life;
  /** False: the receiver takes nothing just now. */
  readonly wants: () => boolean;
  readonly deliver: (bytes: Buffer) => void;
  /** After the last byte. */
  readonly ended: () => void;
  /** Something arrived for a process that is gone. */
  readonly orphaned: () => void;
}

interface Unsent {
  readonly bytes: Uint8Array;
  at: number;
  readonly done: (() => void) | undefined;
}

export class BytePipe {
  readonly #ends: PipeEnds;
  readonly #unsent: Unsent[] = [];
  /** Sent and not yet arrived, in order. */
  readonly #onTheWay: (Buffer | "end")[] = [];
  /** Arrived and not yet taken. */
  readonly #arrived: (Buffer | "end")[] = [];
  #heldBytes = 0;
  #unsentBytes = 0;
  #lastArrivalMs = 0;
  #travels = false;
  #ending = false;
  #endSent = false;
  #cut = false;
  /** The sender is about to hear that there is room again. */
  #tells = false;

  constructor(ends: PipeEnds) {
    this.#ends = ends;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  write(bytes: Uint8Array, done: (() => void) | undefined): void {
    if (this.#cut || this.#ending) {
      done?.();
      return;
    }
    this.#unsent.push({ bytes, at: 0, done });
    this.#unsentBytes += bytes.length;
    this.#take();
  }

  end(): void {
    this.#ending = true;
    this.#take();
  }

  /** The sender's process is gone or has closed: what its kernel had taken still travels, and the end after it. */
  abandon(): void {
    const waiting = this.#unsent.splice(0);
    this.#unsentBytes = 0;
    this.end();
    for (const { done } of waiting) done?.();
  }

  /** Nothing more comes out of it. */
  cut(): void {
    this.#cut = true;
    const waiting = this.#unsent.splice(0);
    this.#unsentBytes = 0;
    this.#onTheWay.length = 0;
    this.#arrived.length = 0;
    for (const { done } of waiting) done?.();
  }

  /** The receiver reads again. */
  pull(): void {
    const { world, label, receiver } = this.#ends;
    world.at(0, { life: receiver, label: `${label} read` }, () => this.#handOver());
  }

  #take(): void {
    while (this.#takeFirst()) this.#unsent.shift()?.done?.();
    if (this.#ending && !this.#endSent && this.#unsent.length === 0) {
      this.#endSent = true;
      this.#onTheWay.push("end");
    }
    this.#travel();
  }

  /** True where all of what waits first was taken. */
  #takeFirst(): boolean {
    const next = this.#unsent[0];
    if (next === undefined) return false;
    while (next.at < next.bytes.length) {
      const room = roomBytes - this.#heldBytes;
      if (room <= 0) return false;
      const cut = this.#ends.link.fragment() ?? maxSegmentBytes;
      const end = Math.min(next.bytes.length, next.at + Math.min(room, cut));
      const segment = Buffer.from(next.bytes.subarray(next.at, end));
      this.#unsentBytes -= segment.length;
      this.#heldBytes += segment.length;
      next.at = end;
      this.#onTheWay.push(segment);
    }
    return true;
  }

  /** The first segment on the way arrives after the link's delay, each further one behind it. */
  #travel(): void {
    const first = this.#onTheWay[0];
    if (this.#travels || first === undefined || this.#cut) return;
    const { world, label, link } = this.#ends;
    this.#travels = true;
    const delayMs = link.delayMs(first === "end" ? 0 : first.length);
    if (delayMs === undefined) {
      link.whenOpen(() => {
        this.#travels = false;
        this.#travel();
      });
      return;
    }
    const atMs = Math.max(this.#lastArrivalMs, world.nowMs + delayMs);
    this.#lastArrivalMs = atMs;
    world.at(atMs - world.nowMs, { life: undefined, label: `${label} arrives` }, () => {
      this.#travels = false;
      this.#arrive();
      this.#travel();
    });
  }

  #arrive(): void {
    const segment = this.#onTheWay.shift();
    if (segment === undefined || this.#cut) return;
    this.#arrived.push(segment);
    const { world, label, receiver, orphaned } = this.#ends;
    if (receiver.ended) orphaned();
    else world.at(0, { life: receiver, label: `${label} readable` }, () => this.#handOver());
  }

  #handOver(): void {
    const { world, wants, deliver, ended } = this.#ends;
    while (wants() && !this.#cut) {
      const next = this.#arrived.shift();
      if (next === undefined) return;
      if (next === "end") {
        ended();
        return;
      }
      this.#heldBytes -= next.length;
      world.trace.bytes(next);
      deliver(next);
      // Whoever keeps bytes for longer than the call finds nonsense.
      next.fill(0xdb);
      this.#roomAgain();
    }
  }

  #roomAgain(): void {
    if (this.#unsent.length === 0 || this.#tells) return;
    const { world, label, sender } = this.#ends;
    this.#tells = true;
    world.at(0, { life: sender, label: `${label} writable` }, () => {
      this.#tells = false;
      this.#take();
    });
  }
}
