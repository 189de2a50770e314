/**
 * Entry of a store-path worker thread: opens the engine over its directory, then serves the ring until it is closed. The
 * thread blocks in file calls and in waiting for requests; only while flushes are in flight does it return to its event loop.
 */
import { openWorker } from "#filestore/worker/open-worker.ts";
import type { StorePathThreadData } from "#filestore/worker-messages.ts";
import type { Databases } from "#platform/databases.ts";
import { sqliteAddon } from "#platform/node/native-addons.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { NodeDiskReads } from "#platform/node/node-disk-reads.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { NodeFlusher } from "#platform/node/node-flusher.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import { systemCalls } from "#platform/node/node-system-calls.ts";
import { nodeThreadPort } from "#platform/node/node-thread-port.ts";

function workerDatabases(): Databases {
  const addon = sqliteAddon();
  return nodeDatabases(addon === undefined ? {} : { nativeBinding: addon });
}

const calls = systemCalls();

openWorker(nodeThreadPort.data as StorePathThreadData, {
  files: new NodeFiles(),
  flusher: new NodeFlusher(),
  clock: nodeClock,
  random: nodeRandom(),
  databases: workerDatabases,
  diskReads: () =>
    new NodeDiskReads(calls === undefined ? undefined : (...range) => calls.forget(...range)),
  post: (message) => nodeThreadPort.post(message),
  ...(calls === undefined ? {} : { sockets: (blocks) => calls.writerFrom(blocks) }),
})?.run();
