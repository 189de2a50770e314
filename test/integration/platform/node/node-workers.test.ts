/** Worker threads: messages, shared memory and both ways of ending. */
import { expect, test } from "vitest";
import { poolSizeFor } from "#platform/node/node-flusher.ts";
import { locateWorker, nodeWorkers, type WorkerCode } from "#platform/node/node-workers.ts";
import type { WorkerThread } from "#platform/workers.ts";

const prologue = 'const { parentPort, workerData } = require("node:worker_threads");';

function start(script: string, data: unknown): WorkerThread {
  return nodeWorkers(() => ({ script: `${prologue}${script}` })).start("store-path-worker", data);
}

function ending(thread: WorkerThread): Promise<Error | undefined> {
  return new Promise((resolve) => {
    thread.onExit = resolve;
  });
}

test("a thread gets its data, shares its buffers and posts to its parent", async () => {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const script = "Atomics.add(workerData.shared, 0, 7); parentPort.postMessage(workerData.text);";
  const thread = start(script, { shared, text: "hello" });
  const messages: unknown[] = [];
  thread.onMessage = (message) => messages.push(message);
  expect(await ending(thread)).toBeUndefined();
  expect(messages).toEqual(["hello"]);
  expect(Atomics.load(shared, 0)).toBe(7);
});

test("an uncaught error and a status other than 0 end the thread with an error", async () => {
  const failed = await ending(start('throw new Error("no disk");', {}));
  expect(failed?.message).toBe("no disk");
  const left = await ending(start("process.exit(3);", {}));
  expect(left?.message).toBe("the thread ended with status 3");
});

test("outside of the executable an entry is a source file that is there", async () => {
  const code: WorkerCode = locateWorker("store-path-worker");
  expect("file" in code ? code.file.pathname : "a script").toMatch(
    /\/src\/filestore\/worker\/store-path-worker\.ts$/,
  );
});

test("the pool of threads gets room for the flushes of all workers, unless the operator chose a size", () => {
  const before = process.env.UV_THREADPOOL_SIZE;
  try {
    delete process.env.UV_THREADPOOL_SIZE;
    nodeWorkers().reserveFlushes?.(3);
    expect(process.env.UV_THREADPOOL_SIZE).toBe(String(poolSizeFor(3)));
    nodeWorkers().reserveFlushes?.(5);
    expect(process.env.UV_THREADPOOL_SIZE).toBe(String(poolSizeFor(3)));
  } finally {
    if (before === undefined) delete process.env.UV_THREADPOOL_SIZE;
    else process.env.UV_THREADPOOL_SIZE = before;
  }
});
