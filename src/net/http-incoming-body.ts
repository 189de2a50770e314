/**
 * The payload of an HTTP request on its way from Node's stream to the sink of whoever drains it. Nothing is read before
 * somebody drains; what nobody wants is left to the server, which asks `needsClose` whether to drop it or the connection.
 * Main thread.
 */
import type { AppError } from "#base/app-error.ts";
import type { ByteSink } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";
import type { HttpBody } from "#net/http-message.ts";

/** A rest of this size is received and dropped, which is cheaper than a new connection. */
const maxDroppedBytes = 64 * 1024;

/** Smaller ones are not worth the call. */
const minFreedBytes = 4 * 1024;

/** What is used of Node's `IncomingMessage`. */
export interface IncomingStream {
  /** All of the message has come. */
  readonly complete: boolean;
  readonly destroyed: boolean;
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  off(event: "end" | "close", listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

export interface IncomingBodyOptions {
  /** Bytes, undefined where only the end of the stream tells. */
  readonly length: number | undefined;
  /** Tells the client that it may send, where it waits for that. */
  readonly onFirstRead: (() => void) | undefined;
  readonly onBytes: (count: number) => void;
}

export class IncomingBody implements HttpBody {
  readonly length: number | undefined;
  receivedBytes = 0;
  readonly #stream: IncomingStream;
  readonly #options: IncomingBodyOptions;
  #state: "untouched" | "draining" | "drained" | "abandoned" = "untouched";
  /** The client waits to be told to send. */
  #unanswered: boolean;
  #paused = false;
  #reject: ((error: AppError) => void) | undefined;
  #detach: () => void = () => {};

  constructor(stream: IncomingStream, options: IncomingBodyOptions) {
    this.#stream = stream;
    this.#options = options;
    this.length = options.length;
    this.#unanswered = options.onFirstRead !== undefined;
  }

  /** True while only the client can make things move. */
  get awaited(): boolean {
    return this.#state === "draining" && !this.#paused;
  }

  /** The rest of the payload is not worth receiving: the connection ends with this exchange. */
  get needsClose(): boolean {
    if (this.#state === "drained" || this.length === 0) return false;
    if (this.#stream.complete) return false;
    return this.#unanswered || this.length === undefined || this.length > maxDroppedBytes;
  }

  drainTo(sink: ByteSink): Promise<void> {
    if (this.#state !== "untouched") {
      return Promise.reject(netError("flow-broken", "the payload was taken already"));
    }
    this.#state = "draining";
    this.#unanswered = false;
    this.#options.onFirstRead?.();
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      const onData = (chunk: Uint8Array): void => this.#pass(chunk, sink);
      const onEnd = (): void => {
        this.#state = "drained";
        this.#detach();
        resolve();
      };
      const onClose = (): void => this.#break(undefined);
      stream.on("data", onData);
      stream.on("end", onEnd);
      stream.on("close", onClose);
      // This one stays: without a listener a late error would be nobody's.
      stream.on("error", (error) => this.#break(error));
      this.#detach = () => {
        stream.off("data", onData);
        stream.off("end", onEnd);
        stream.off("close", onClose);
      };
      if (stream.destroyed) this.#break(undefined);
    });
  }

  #pass(chunk: Uint8Array, sink: ByteSink): void {
    this.receivedBytes += chunk.length;
    this.#options.onBytes(chunk.length);
    const goOn = sink.write(chunk);
    freeMemory(chunk);
    if (goOn) return;
    this.#paused = true;
    this.#stream.pause();
  }

  #break(cause: Error | undefined): void {
    this.fail(netError("flow-broken", "the client stopped in the middle of the body", cause));
  }

  resume(): void {
    if (this.#state !== "draining" || !this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  fail(error: AppError): void {
    if (this.#state !== "draining") return;
    this.#state = "abandoned";
    this.#detach();
    this.#reject?.(error);
  }

  /** The reply is decided: whoever still drains gets no more. */
  abandon(): void {
    this.fail(netError("flow-broken", "the exchange ended before the body was read"));
    if (this.#state === "untouched") this.#state = "abandoned";
  }
}

/**
 * Node makes a buffer of up to 64 KiB for every chunk, and leaves it to a collector that is in no hurry: an upload of 1.5 GB
 * peaked at 145 MiB, and at 74 MiB with half of the CPU time when each is freed as soon as it was used (measured).
 */
function freeMemory(chunk: Uint8Array): void {
  const { buffer } = chunk;
  const own = chunk.length === buffer.byteLength && chunk.length >= minFreedBytes;
  if (own && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
