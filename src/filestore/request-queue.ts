/**
 * Requests on their way to a store path's worker, in order: in the ring, and behind it those that found it full. At most one ring's worth
 * is with the worker, so that its answers always find room. Main thread.
 */
import { type RingRecord, type RingWriter, ringSlots } from "#filestore/ring.ts";

export class RequestQueue {
  #ring: RingWriter;
  readonly #backlog: RingRecord[] = [];
  #inFlight = 0;
  /** A request was put into the ring. */
  readonly #onPushed: (record: RingRecord) => void;

  constructor(ring: RingWriter, onPushed: (record: RingRecord) => void) {
    this.#ring = ring;
    this.#onPushed = onPushed;
  }

  /** Requests that the worker has, or will find in the ring. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Another worker, which has nothing yet, reads from another ring. */
  restart(ring: RingWriter): void {
    this.#ring = ring;
    this.#inFlight = 0;
  }

  /** True where the worker finds it, once it is roused. */
  add(record: RingRecord): boolean {
    if (this.#backlog.length === 0 && this.#push(record)) return true;
    this.#backlog.push(record);
    return false;
  }

  /** The worker answered one. */
  answered(): void {
    this.#inFlight -= 1;
  }

  /** What there is room for by now; rouses the worker. */
  advance(): void {
    let sent = 0;
    while (sent < this.#backlog.length) {
      const record = this.#backlog[sent];
      if (record === undefined || !this.#push(record)) break;
      sent += 1;
    }
    if (sent === 0) return;
    this.#backlog.splice(0, sent);
    this.#ring.wake();
  }

  /** Ids of those that the worker has heard nothing of. */
  unsent(): ReadonlySet<number> {
    return new Set(this.#backlog.map(({ id }) => id));
  }

  /** They were never to be sent, as long as they are not in the ring. */
  drop(ids: ReadonlySet<number>): void {
    if (ids.size === 0) return;
    const kept = this.#backlog.filter(({ id }) => !ids.has(id));
    this.#backlog.splice(0, this.#backlog.length, ...kept);
  }

  dropAll(): void {
    this.#backlog.length = 0;
  }

  #push(record: RingRecord): boolean {
    if (this.#inFlight >= ringSlots || !this.#ring.push(record)) return false;
    this.#inFlight += 1;
    this.#onPushed(record);
    return true;
  }
}
