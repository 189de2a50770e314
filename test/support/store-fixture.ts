/** Store paths over fake engines, and flows that a test feeds by hand. */
import { expect } from "vitest";
import type { StorePathSettings } from "#filestore/settings.ts";
import { StorePathClient } from "#filestore/store-path-client.ts";
import type { ByteFlow, ByteSink } from "#net/byte-flow.ts";
import { collectedLog } from "./frame-fixture.ts";
import { type InThreadWorker, inThreadWorkers, type SocketsOf } from "./in-thread-workers.ts";
import { turns } from "./settled.ts";

export function pathSettings(index: number, directory = `/nowhere/${index}`): StorePathSettings {
  return {
    index,
    directory,
    readOnly: false,
    subdirCount: 256,
    createAllDirectories: false,
    journalBytes: 0,
    distribution: "round-robin",
    rotateCount: 100,
    durability: "relaxed",
    packing: "off",
    dedup: false,
    source: { kind: "address", address: "127.0.0.1" },
    adoptBasePath: "",
  };
}

export interface PathStage {
  readonly client: StorePathClient;
  readonly worker: InThreadWorker;
  /** Turns of the worker by hand, with everything that follows from each. */
  turn(count?: number): Promise<void>;
}

/** One store path that is online; its worker turns when the test says so, or by itself. */
export async function pathStage(automatic: boolean, sockets?: SocketsOf): Promise<PathStage> {
  const workers = inThreadWorkers(automatic, sockets);
  const client = new StorePathClient(pathSettings(0), collectedLog().log);
  await client.start(workers);
  const worker = workers.started[0] as InThreadWorker;
  return {
    client,
    worker,
    turn: async (count = 1) => {
      for (let turn = 0; turn < count; turn += 1) {
        worker.turn();
        await turns(3);
      }
    },
  };
}

/** All blocks are back, nobody waits, the worker holds nothing. */
export async function expectNothingLeft({ client, worker }: PathStage): Promise<void> {
  worker.automatic = true;
  await turns(10);
  expect({
    blocks: client.blocks.inUse,
    crowded: client.blocks.crowded,
    holders: client.blocks.holders.size,
    pending: client.pending,
    writes: worker.engine.openWrites,
    reads: worker.engine.openReads,
    locked: [...worker.engine.locked],
  }).toEqual({
    blocks: 0,
    crowded: false,
    holders: 0,
    pending: 0,
    writes: 0,
    reads: 0,
    locked: [],
  });
}

/** A flow whose bytes come when the test says so. */
export class FedFlow implements ByteFlow {
  readonly length: number;
  readonly lengthIsEstimate: boolean;
  /** What the sink said to the last chunk, or that it has resumed since. */
  open = true;
  resumed = 0;
  #sink: ByteSink | undefined;
  #resolve = (): void => {};
  #reject = (_error: Error): void => {};

  constructor(length: number, lengthIsEstimate = false) {
    this.length = length;
    this.lengthIsEstimate = lengthIsEstimate;
  }

  drainTo(sink: ByteSink): Promise<void> {
    this.#sink = sink;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resume(): void {
    this.open = true;
    this.resumed += 1;
  }

  feed(bytes: Uint8Array): void {
    this.open = this.#sink?.write(bytes) ?? false;
  }

  end(): void {
    this.#resolve();
  }

  fail(error: Error): void {
    this.#reject(error);
  }
}
