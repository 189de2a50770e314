/**
 * A connection whose other end is the test: chunks are delivered one by one through a buffer that is overwritten after each
 * call, as the real receive buffer is, and what is written is taken at once or only when the test says so.
 */
import type { Connection } from "#platform/network.ts";

interface Write {
  readonly bytes: Uint8Array;
  readonly done: (() => void) | undefined;
}

export class ScriptedConnection implements Connection {
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 40000;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 23000;
  onReceive: (chunk: Uint8Array) => void = () => {};
  onEnd: () => void = () => {};
  onClose: (error: Error | undefined) => void = () => {};
  /** False keeps what is written, as a peer does that does not read. */
  takesWrites = true;
  /** Everything the peer has been sent so far. */
  sent = Buffer.alloc(0);
  /** What the peer got in one piece each, as far as `cork` and single writes tell. */
  readonly segments: Buffer[] = [];
  paused = false;
  ended = false;
  closed = false;
  writesAfterEnd = 0;
  acknowledged = 0;
  readonly #held: Write[] = [];
  readonly #undelivered: Buffer[] = [];
  readonly #receiveBuffer = Buffer.alloc(256 * 1024);
  #corked: Buffer[] | undefined;
  #endUndelivered = false;

  get unsentBytes(): number {
    return this.#held.reduce((sum, write) => sum + write.bytes.length, 0);
  }

  write(bytes: Uint8Array, done?: () => void): void {
    if (this.ended) this.writesAfterEnd += 1;
    if (this.closed || this.ended) {
      done?.();
      return;
    }
    if (!this.takesWrites || this.#held.length > 0) {
      this.#held.push({ bytes, done });
      return;
    }
    this.#take(bytes);
    if (done !== undefined) queueMicrotask(done);
  }

  acknowledge(): void {
    this.acknowledged += 1;
  }

  cork(): void {
    this.#corked ??= [];
  }

  uncork(): void {
    const corked = this.#corked;
    this.#corked = undefined;
    if (corked !== undefined) this.segments.push(Buffer.concat(corked));
  }

  pauseReceiving(): void {
    this.paused = true;
  }

  resumeReceiving(): void {
    if (!this.paused) return;
    this.paused = false;
    queueMicrotask(() => this.#deliverHeld());
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.close(undefined);
  }

  /** The connection is gone, with or without an error. */
  close(error: Error | undefined): void {
    if (this.closed) return;
    this.closed = true;
    queueMicrotask(() => {
      for (const write of this.#held.splice(0)) write.done?.();
      this.onClose(error);
    });
  }

  /** The peer takes what was held back, or the first `count` writes of it. */
  takeHeld(count: number = this.#held.length): void {
    for (const write of this.#held.splice(0, count)) {
      this.#take(write.bytes);
      write.done?.();
    }
  }

  get heldWrites(): number {
    return this.#held.length;
  }

  /** Sends to the code under test; what comes while it has paused is delivered when it resumes. */
  deliver(bytes: Uint8Array): void {
    this.#undelivered.push(Buffer.from(bytes));
    this.#deliverHeld();
  }

  /** The peer closes its side. */
  deliverEnd(): void {
    this.#endUndelivered = true;
    this.#deliverHeld();
  }

  #deliverHeld(): void {
    while (!this.paused && !this.closed) {
      const next = this.#undelivered.shift();
      if (next === undefined) break;
      const chunk = this.#receiveBuffer.subarray(0, next.length);
      chunk.set(next);
      this.onReceive(chunk);
      chunk.fill(0xee);
    }
    if (!this.#endUndelivered || this.paused || this.closed) return;
    if (this.#undelivered.length > 0) return;
    this.#endUndelivered = false;
    this.onEnd();
  }

  #take(bytes: Uint8Array): void {
    const copy = Buffer.from(bytes);
    this.sent = Buffer.concat([this.sent, copy]);
    if (this.#corked === undefined) this.segments.push(copy);
    else this.#corked.push(copy);
  }
}
