/**
 * A payload that arrives from one peer as a source for another one: holds one received chunk, and keeps the sender waiting until that was
 * taken. Main thread.
 */
import type { ByteFlow, ByteSink, ByteSource, Piece } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";

export class FlowSource implements ByteSource, ByteSink {
  readonly length: number;
  readonly #flow: ByteFlow;
  readonly #onEnd: (isWhole: boolean) => void;
  /** As a rule one: only what was on its way already when the sender was stopped comes on top. */
  readonly #chunks: Uint8Array[] = [];
  #received = 0;
  #given = 0;
  #begun = false;
  #ended = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  /** `onEnd` is called once: when all was taken, or nothing of it is wanted or to be had any more. */
  constructor(flow: ByteFlow, onEnd: (isWhole: boolean) => void) {
    this.length = flow.length;
    this.#flow = flow;
    this.#onEnd = onEnd;
  }

  async next(): Promise<Piece | undefined> {
    if (this.#ended) {
      if (this.#failure !== undefined) throw this.#failure;
      return undefined;
    }
    this.#begin();
    while (this.#chunks.length === 0 && !this.#ended && this.#given < this.length) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const bytes = this.#chunks.shift();
    if (bytes === undefined) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#end();
      return undefined;
    }
    this.#given += bytes.length;
    if (this.#given < this.length) this.#flow.resume();
    return { bytes, room: 0, release: () => {} };
  }

  close(): void {
    this.#chunks.length = 0;
    this.#end();
  }

  /** What the flow brings. */
  write(chunk: Uint8Array): boolean {
    if (this.#ended) return true;
    this.#chunks.push(Buffer.from(chunk));
    this.#received += chunk.length;
    this.#wakeUp();
    return false;
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#flow.drainTo(this).then(
      () => {
        if (this.#received !== this.length) this.#fail(netError("flow-broken", "it broke off"));
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#end();
  }

  /** Whoever takes the last piece may not ask for another one. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(this.#failure === undefined && this.#given === this.length);
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
