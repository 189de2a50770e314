/** A payload that begins with a head of known length, which is needed before the rest has a place to go to. */
import { type ByteFlow, type ByteSink, flowOfBytes } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";

export interface HeadedFlow {
  readonly head: Buffer;
  /** What follows, to be drained once; then `flow` has ended as well. */
  readonly body: ByteFlow;
}

/** Resolves when the head is there. Rejects with `flow-broken` where the payload ends before. */
export async function headOf(flow: ByteFlow, headBytes: number): Promise<HeadedFlow> {
  const relay = new Relay(flow, headBytes);
  const ended = relay.run();
  // Whoever drains the body hears of it.
  ended.catch(() => undefined);
  await Promise.race([relay.headed, ended]);
  if (relay.head.length < headBytes) {
    throw netError("flow-broken", `the payload ends within its first ${headBytes} bytes`);
  }
  const length = flow.length - headBytes;
  if (length === 0) {
    flow.resume();
    await ended;
    return { head: relay.head, body: flowOfBytes(new Uint8Array(0)) };
  }
  const body: ByteFlow = {
    length,
    resume: () => flow.resume(),
    drainTo: async (sink) => {
      relay.goOn(sink);
      await ended;
    },
  };
  return { head: relay.head, body };
}

class Relay implements ByteSink {
  readonly #flow: ByteFlow;
  readonly #headBytes: number;
  head = Buffer.alloc(0);
  /** What came behind the head in the same chunk. */
  #kept = Buffer.alloc(0);
  #sink: ByteSink | undefined;
  #headCame: () => void = () => {};
  readonly headed: Promise<void>;

  constructor(flow: ByteFlow, headBytes: number) {
    this.#flow = flow;
    this.#headBytes = headBytes;
    this.headed = new Promise((resolve) => {
      this.#headCame = resolve;
    });
  }

  run(): Promise<void> {
    return this.#flow.drainTo(this);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#sink !== undefined) return this.#sink.write(chunk);
    const missing = this.#headBytes - this.head.length;
    this.head = Buffer.concat([this.head, chunk.subarray(0, missing)]);
    this.#kept = Buffer.concat([this.#kept, chunk.subarray(missing)]);
    if (this.head.length < this.#headBytes) return true;
    this.#headCame();
    return false;
  }

  goOn(sink: ByteSink): void {
    this.#sink = sink;
    const goesOn = this.#kept.length === 0 || sink.write(this.#kept);
    this.#kept = Buffer.alloc(0);
    if (goesOn) this.#flow.resume();
  }
}
