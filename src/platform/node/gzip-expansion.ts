/**
 * Expands gzip files for a caller that cannot wait for promises, and in bounded memory: rotated binlogs of a C storage have
 * 1 GiB each. Node's zlib expands either in streams, which are asynchronous, or the whole into memory; so the streams run in a
 * thread of their own, and the caller's thread sleeps until they are done. Worker threads only: it blocks.
 */
import { unlinkSync } from "node:fs";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { FileError } from "#platform/files.ts";

/** Enough for 1 GiB on a slow disk of a slow board. */
const deadlineMs = 30 * 60_000;

/** Runs in the other thread, and so as text: neither a bundler nor a single executable has to know of a further file. */
const expander = `
const { createReadStream, createWriteStream } = require("node:fs");
const { pipeline } = require("node:stream");
const { workerData } = require("node:worker_threads");
const { createGunzip } = require("node:zlib");
const { from, to, done, port } = workerData;
const output = createWriteStream(to, { flags: "wx", mode: 0o644 });
pipeline(createReadStream(from), createGunzip(), output, (error) => {
  port.postMessage(error == null ? {} : { code: error.code, message: error.message });
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
});
`;

interface Outcome {
  readonly code?: string;
  readonly message?: string;
}

/** Writes the content of `from` to the new file `to`, which is gone again where it fails. Throws `FileError`. */
export function expandGzip(from: string, to: string): void {
  const done = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const thread = new Worker(expander, {
    eval: true,
    workerData: { from, to, done, port: port2 },
    transferList: [port2],
  });
  thread.unref();
  const waited = Atomics.wait(done, 0, 0, deadlineMs);
  const outcome: Outcome =
    waited === "timed-out"
      ? { code: "ETIMEDOUT", message: `expanding took more than ${deadlineMs} ms` }
      : (receiveMessageOnPort(port1)?.message as Outcome);
  port1.close();
  if (outcome.message === undefined) return;
  // zlib's codes begin with Z_; the system's are those of its calls.
  const code = outcome.code?.startsWith("Z_") === true ? "EINVAL" : (outcome.code ?? "EIO");
  if (code !== "EEXIST") removeIfThere(to);
  throw new FileError(code, `${code}: cannot expand ${from}: ${outcome.message}`, from);
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The thread did not come as far as making it.
  }
}
