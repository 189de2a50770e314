/** What a worker thread gets from its parent, and how it answers outside of shared memory. */
import { parentPort, workerData } from "node:worker_threads";
import type { ThreadPort } from "#platform/workers.ts";

export const nodeThreadPort: ThreadPort = {
  data: workerData as unknown,
  post: (message: unknown) => parentPort?.postMessage(message),
};
