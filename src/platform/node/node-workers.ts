/**
 * Worker threads of Node. From the sources a thread runs its entry file, in a bundle the script beside the program's; the single
 * executable carries each entry as a text asset and starts the thread from that. Main thread.
 */
import { getAsset, isSea } from "node:sea";
import { Worker } from "node:worker_threads";
import { poolSizeFor } from "#platform/node/node-flusher.ts";
import type { WorkerEntry, Workers, WorkerThread } from "#platform/workers.ts";

/** What a thread runs: a file, or a script as text. */
export type WorkerCode = { readonly file: URL } | { readonly script: string };

/** Names of the scripts in the executable and beside a bundled program; `image/binary/` puts them there. */
export const workerScripts: Readonly<Record<WorkerEntry, string>> = {
  "store-path-worker": "store-path-worker.cjs",
  "store-path-mover": "store-path-mover.cjs",
};

/** Where the code of an entry is in this process. */
export function locateWorker(entry: WorkerEntry): WorkerCode {
  if (isSea()) return { script: getAsset(workerScripts[entry], "utf8") };
  const bundled = !import.meta.url.endsWith(".ts");
  return { file: bundled ? new URL(workerScripts[entry], import.meta.url) : sourceFile(entry) };
}

/** Written out one by one, so that tools see which files are entries. */
function sourceFile(entry: WorkerEntry): URL {
  switch (entry) {
    case "store-path-worker":
      return new URL("../../filestore/worker/store-path-worker.ts", import.meta.url);
    case "store-path-mover":
      return new URL("../../filestore/move/store-path-mover.ts", import.meta.url);
  }
}

class NodeWorkerThread implements WorkerThread {
  onMessage: (message: unknown) => void = () => {};
  onExit: (error: Error | undefined) => void = () => {};

  constructor(code: WorkerCode, data: unknown) {
    const worker =
      "file" in code
        ? new Worker(code.file, { workerData: data })
        : new Worker(code.script, { workerData: data, eval: true });
    let failure: Error | undefined;
    worker.on("message", (message: unknown) => this.onMessage(message));
    worker.on("error", (error: unknown) => {
      failure = error instanceof Error ? error : new Error(String(error));
    });
    worker.on("exit", (status) => {
      if (status !== 0) failure ??= new Error(`the thread ended with status ${status}`);
      this.onExit(failure);
    });
    worker.unref();
  }
}

/** `locate` is for tests; everybody else takes the entries that the program has. */
export function nodeWorkers(locate: (entry: WorkerEntry) => WorkerCode = locateWorker): Workers {
  return {
    start: (entry, data) => new NodeWorkerThread(locate(entry), data),
    afterTurn: (task) => void setImmediate(task),
    reserveFlushes: (workers) => {
      // libuv reads it when the pool is used for the first time, which is after the settings were read.
      process.env.UV_THREADPOOL_SIZE ??= String(poolSizeFor(workers));
    },
  };
}
