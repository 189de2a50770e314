/**
 * Entry of a store-path worker thread: opens the engine over its directory, then serves the ring until it is closed. The
 * thread blocks in file calls and in waiting for requests; only while flushes are in flight does it return to its event loop.
 */
import { AppError, describeError } from "#base/app-error.ts";
import { Log } from "#base/log.ts";
import { RingReader, RingWriter } from "#filestore/ring.ts";
import { PathCondition } from "#filestore/worker/path-condition.ts";
import { refusalOf } from "#filestore/worker/read-only-path.ts";
import { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { WatchedFlusher, watchCalls } from "#filestore/worker/watched-calls.ts";
import { WorkerLoop } from "#filestore/worker/worker-loop.ts";
import type { StorePathPost, StorePathThreadData } from "#filestore/worker-messages.ts";
import type { Databases } from "#platform/databases.ts";
import { sqliteAddon } from "#platform/node/native-addons.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { NodeFlusher } from "#platform/node/node-flusher.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import { nodeThreadPort } from "#platform/node/node-thread-port.ts";

function post(message: StorePathPost): void {
  nodeThreadPort.post(message);
}

function workerDatabases(): Databases {
  const addon = sqliteAddon();
  return nodeDatabases(addon === undefined ? {} : { nativeBinding: addon });
}

function main(): void {
  const data = nodeThreadPort.data as StorePathThreadData;
  const log = new Log(`store-path-${data.settings.index}`, (record) =>
    post({ post: "log", record }),
  );
  const condition = new PathCondition(data.pulse, post);
  const files = watchCalls(new NodeFiles(), condition);
  let engine: StorePathEngine;
  try {
    engine = StorePathEngine.open(data.settings, {
      files,
      clock: nodeClock,
      random: nodeRandom(),
      log,
      onFlushFailed: (error) => condition.onFlushFailed(error),
      onLeaseWanted: (count) => post({ post: "trunk-lease-wanted", count }),
      databases: workerDatabases,
    });
  } catch (error) {
    const code = error instanceof AppError ? error.code : "disk-failed";
    post({ post: "unfit", code, message: describeError(error) });
    return;
  }
  const { readOnly } = engine.openReport;
  if (readOnly !== undefined) condition.refuse(refusalOf(data.settings.directory));
  post({ post: "opened", ...engine.openReport });
  new WorkerLoop({
    engine,
    clock: nodeClock,
    flusher: new WatchedFlusher(new NodeFlusher(), condition),
    refusal: () => condition.refusal,
    isAbandoned: (id) => condition.isAbandoned(id),
    checks: condition,
    requests: new RingReader(data.requests),
    completions: new RingWriter(data.completions),
    blocks: data.blocks,
  }).run();
}

main();
