/**
 * Expands gzip files for a caller that cannot wait for promises, in bounded memory: rotated binlogs of a C storage have 1 GiB each.
 * Node's zlib expands either in streams, which are asynchronous, or the whole into memory; so the streams run in a thread of their
 * own, and the caller looks now and then how far they are. Worker threads only: each look may block for `sliceMs`.
 */
import { closeSync, openSync, rmSync } from "node:fs";
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import { type Expansion, FileError } from "#platform/files.ts";

/** Enough for 1 GiB on a slow disk of a slow board. */
const deadlineMs = 30 * 60_000;
/** So long a step sleeps at most. */
const sliceMs = 1;
/** What the two threads tell each other. */
const running = 0;
const ended = 1;
const stopped = 2;

/**
 * Runs in the other thread, and so as text: neither a bundler nor a single executable has to know of a further file. The file is there
 * already; one that was given up may have another owner by the time that it is opened here, and is not written.
 */
const expander = `
const { closeSync, createReadStream, createWriteStream, openSync } = require("node:fs");
const { pipeline, Transform } = require("node:stream");
const { workerData } = require("node:worker_threads");
const { createGunzip } = require("node:zlib");
const { from, to, maxBytes, state, port } = workerData;
let bytes = 0;
const limit = new Transform({
  transform(chunk, _encoding, next) {
    bytes += chunk.length;
    if (Atomics.load(state, 0) === ${stopped}) next(new Error("it was given up"));
    else if (bytes <= maxBytes) next(null, chunk);
    else next(Object.assign(new Error("it expands to more than " + maxBytes + " bytes"), { code: "EFBIG" }));
  },
});
const end = (error) => {
  port.postMessage(error == null ? {} : { code: error.code, message: error.message });
  Atomics.compareExchange(state, 0, ${running}, ${ended});
  Atomics.notify(state, 0);
};
try {
  const fd = openSync(to, "r+");
  if (Atomics.load(state, 0) === ${running}) {
    pipeline(createReadStream(from), createGunzip(), limit, createWriteStream("", { fd }), end);
  } else closeSync(fd);
} catch (error) {
  end(error);
}
`;

interface Outcome {
  readonly code?: string;
  readonly message?: string;
}

/** Begins to write the content of `from` to the new file `to`. Throws `FileError`. */
export class GzipExpansion implements Expansion {
  readonly #from: string;
  readonly #to: string;
  readonly #state = new Int32Array(new SharedArrayBuffer(4));
  readonly #port: MessagePort;
  readonly #endMs = performance.now() + deadlineMs;
  #ended = false;

  constructor(from: string, to: string, maxBytes: number) {
    this.#from = from;
    this.#to = to;
    closeSync(openSync(to, "wx", 0o644));
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const thread = new Worker(expander, {
      eval: true,
      workerData: { from, to, maxBytes, state: this.#state, port: port2 },
      transferList: [port2],
    });
    thread.unref();
  }

  step(): boolean {
    if (this.#ended) return true;
    Atomics.wait(this.#state, 0, running, sliceMs);
    const isLate = performance.now() > this.#endMs;
    if (Atomics.load(this.#state, 0) === running && !isLate) return false;
    const outcome: Outcome = isLate
      ? { code: "ETIMEDOUT", message: `expanding took more than ${deadlineMs} ms` }
      : (receiveMessageOnPort(this.#port)?.message as Outcome);
    if (outcome.message !== undefined) {
      this.stop();
      throw this.#failure(outcome);
    }
    this.#ended = true;
    this.#port.close();
    return true;
  }

  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    Atomics.store(this.#state, 0, stopped);
    this.#port.close();
    rmSync(this.#to, { force: true });
  }

  /** zlib's codes begin with Z_; the system's are those of its calls. */
  #failure({ code, message }: Outcome): FileError {
    const known = code?.startsWith("Z_") === true ? "EINVAL" : (code ?? "EIO");
    return new FileError(known, `${known}: cannot expand ${this.#from}: ${message}`, this.#from);
  }
}
