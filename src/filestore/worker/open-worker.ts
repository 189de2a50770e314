/**
 * Puts a store-path worker together over the world that it is given: opens the engine, tells the main thread how that went, and
 * returns the loop that serves the rings. The thread gives it the real world, a simulation another one. Worker thread.
 */
import { AppError, describeError } from "#base/app-error.ts";
import { Log } from "#base/log.ts";
import { RingReader, RingWriter } from "#filestore/ring.ts";
import { DiskFileWriter } from "#filestore/worker/disk-file-writer.ts";
import { PathCondition } from "#filestore/worker/path-condition.ts";
import { refusalOf } from "#filestore/worker/read-only-path.ts";
import { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { WatchedFlusher, watchCalls, watchReads } from "#filestore/worker/watched-calls.ts";
import { WorkerLoop } from "#filestore/worker/worker-loop.ts";
import type { StorePathPost, StorePathThreadData } from "#filestore/worker-messages.ts";
import type { Clock } from "#platform/clock.ts";
import type { Databases } from "#platform/databases.ts";
import type { DiskReads } from "#platform/disk-reads.ts";
import type { Files } from "#platform/files.ts";
import type { Flusher } from "#platform/flusher.ts";
import type { SocketWriter } from "#platform/lent-sockets.ts";
import type { Random } from "#platform/random.ts";
import type { ThreadWaits } from "#platform/workers.ts";

export interface WorkerWorld {
  /** Of this worker alone: its calls are counted from now on. */
  readonly files: Files;
  readonly flusher: Flusher;
  readonly clock: Clock;
  readonly random: Random;
  readonly databases: () => Databases;
  /** To the main thread. */
  readonly post: (message: StorePathPost) => void;
  readonly waits?: ThreadWaits;
  /** Writes from this memory to sockets that are lent; without it the main thread answers everybody. */
  readonly sockets?: (blocks: SharedArrayBuffer) => SocketWriter;
  /** See `EngineParts`. */
  readonly diskReads?: () => DiskReads;
}

/** The loop over the opened store path; undefined, and the main thread knows why, where it cannot be served. */
export function openWorker(
  data: StorePathThreadData,
  { clock, random, databases, post, flusher, waits, sockets, diskReads, ...world }: WorkerWorld,
): WorkerLoop | undefined {
  const log = new Log(`store-path-${data.settings.index}`, (record) =>
    post({ post: "log", record }),
  );
  const condition = new PathCondition(data.pulse, post);
  const files = watchCalls(world.files, condition);
  let engine: StorePathEngine;
  try {
    engine = StorePathEngine.open(data.settings, {
      files,
      clock,
      random,
      log,
      onFlushFailed: (error) => condition.onFlushFailed(error),
      onLeaseWanted: (count) => post({ post: "trunk-lease-wanted", count }),
      onRecheck: (facts) => post({ post: "recheck", ...(facts === undefined ? {} : { facts }) }),
      databases,
      ...(diskReads === undefined ? {} : { diskReads: () => watchReads(diskReads(), condition) }),
      ...(data.names === undefined ? {} : { nameMemory: data.names }),
    });
  } catch (error) {
    const code = error instanceof AppError ? error.code : "disk-failed";
    post({ post: "unfit", code, message: describeError(error) });
    return undefined;
  }
  const { readOnly } = engine.openReport;
  if (readOnly !== undefined) condition.refuse(refusalOf(data.settings.directory));
  post({ post: "opened", ...engine.openReport });
  return new WorkerLoop({
    engine,
    diskFiles: new DiskFileWriter(files, data.settings.diskDirectory),
    clock,
    flusher: new WatchedFlusher(flusher, condition),
    refusal: () => condition.refusal,
    isAbandoned: (id) => condition.isAbandoned(id),
    checks: condition,
    requests: new RingReader(data.requests, waits),
    completions: new RingWriter(data.completions, waits),
    blocks: data.blocks,
    ...(sockets === undefined ? {} : { sockets: sockets(data.blocks) }),
  });
}
