/**
 * The payload of a streamed request while it arrives: hands the received bytes to whoever drains it, straight out of the
 * receive buffer. Bytes that came before anyone drains are copied once, and the connection pauses. Main thread.
 */
import type { ByteFlow, ByteSink } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";
import type { Connection } from "#platform/network.ts";

/**
 * What is missing below this size may lie at a sender that waits for our acknowledgement (Nagle): storages and clients of C write the head of
 * a request and its content apart. Larger content fills segments, which do not wait.
 */
const heldBackBytes = 64 * 1024;

export class IncomingPayload implements ByteFlow {
  readonly length: number;
  readonly #connection: Connection;
  #missing: number;
  #sink: ByteSink | undefined;
  /** Came before the sink did. A view until `settle` copies it. */
  #early: Uint8Array | undefined;
  #failure: Error | undefined;
  #resolve: (() => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #abandoned = false;
  #paused = false;

  constructor(length: number, connection: Connection) {
    this.length = length;
    this.#missing = length;
    this.#connection = connection;
  }

  /** Bytes that have not arrived yet. */
  get missing(): number {
    return this.#missing;
  }

  /** True while we keep the peer waiting, which is no silence of the peer's. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Takes what belongs to the payload, which may be nothing yet; the rest of `chunk` is not ours. Returns the number of bytes taken. */
  receive(chunk: Uint8Array): number {
    const count = Math.min(this.#missing, chunk.length);
    const part = count === chunk.length ? chunk : chunk.subarray(0, count);
    this.#missing -= count;
    if (this.#missing > 0 && this.#missing < heldBackBytes) this.#connection.acknowledge?.();
    if (this.#abandoned || count === 0) return count;
    if (this.#sink === undefined) {
      this.#early = this.#early === undefined ? part : Buffer.concat([this.#early, part]);
    } else {
      this.#pass(this.#sink, part);
    }
    return count;
  }

  /** The receive buffer is about to be reused: what nobody took yet is copied, and the sender slowed down. */
  settle(): void {
    if (this.#early === undefined || this.#sink !== undefined) return;
    this.#early = Buffer.from(this.#early);
    this.#pause();
  }

  /** Nobody will drain any more: what still comes is dropped. */
  abandon(): void {
    this.#abandoned = true;
    this.#early = undefined;
    this.resume();
  }

  /** Ends the draining, unless all has arrived. */
  fail(cause: Error | undefined): void {
    if (this.#missing === 0) return;
    this.#failure = netError("flow-broken", "the peer stopped in the middle of a payload", cause);
    this.#reject?.(this.#failure);
  }

  drainTo(sink: ByteSink): Promise<void> {
    this.#sink = sink;
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) {
      if (sink.write(early)) this.resume();
      else this.#pause();
    }
    if (this.#missing === 0) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#connection.resumeReceiving();
  }

  #pause(): void {
    if (this.#missing === 0 || this.#paused) return;
    this.#paused = true;
    this.#connection.pauseReceiving();
  }

  #pass(sink: ByteSink, part: Uint8Array): void {
    let goOn: boolean;
    try {
      goOn = sink.write(part);
    } catch (error) {
      // The mistake belongs to whoever drains, and must not end the process from inside of a socket's callback.
      this.#abandoned = true;
      this.#reject?.(error);
      return;
    }
    if (this.#missing === 0) this.#resolve?.();
    else if (!goOn) this.#pause();
  }
}
