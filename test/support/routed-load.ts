/**
 * Clients that read files, and others that store them, without a pause, each where the tracker says at that moment, and once: what is refused
 * counts as failed, and how long it goes on is the gap. All connections are the client's own and made anew after a failure.
 */
import { collect, sourceOfBytes } from "#net/byte-flow.ts";
import { FrameClient } from "#net/frame-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { storageFiles } from "#protocol/fastdfs/storage-files.ts";
import { trackerQueries } from "#protocol/fastdfs/tracker-queries.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import type { Place } from "./raw-connection.ts";

const network = new NodeNetwork();
const networkTimeoutMs = 20_000;

export interface RoutedFigures {
  readonly done: number;
  readonly failed: number;
  /** Milliseconds from the begin of the first operation that failed to the end of the next one of that client that did not; the longest. */
  readonly gapMs: number;
  /** Milliseconds that a single operation took. */
  readonly longestMs: number;
  /** Of failures: statuses, or words. */
  readonly why: readonly string[];
}

export class RoutedLoad {
  readonly stored = new Map<string, Buffer>();
  readonly #tracker: Place;
  readonly #clients: Promise<void>[] = [];
  readonly reads = new Tally();
  readonly uploads = new Tally();
  #going = true;
  #next = 0;

  constructor(
    tracker: Place,
    how: {
      readonly files: ReadonlyMap<string, Buffer>;
      readonly readers: number;
      readonly writers: number;
    },
  ) {
    this.#tracker = tracker;
    const files = [...how.files];
    for (let reader = 0; reader < how.readers; reader += 1) {
      this.#clients.push(
        this.#run(this.reads, async (connections) => {
          this.#next += 1;
          const [name, content] = files[this.#next % files.length] ?? ["", Buffer.alloc(0)];
          await this.#read(connections, name, content);
        }),
      );
    }
    for (let writer = 0; writer < how.writers; writer += 1) {
      this.#clients.push(this.#run(this.uploads, (connections) => this.#store(connections)));
    }
  }

  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#clients);
  }

  async #run(tally: Tally, act: (connections: Connections) => Promise<void>): Promise<void> {
    let connections = new Connections();
    let failingSince: number | undefined;
    while (this.#going) {
      const started = performance.now();
      try {
        await act(connections);
        tally.succeeded(performance.now() - started);
        if (failingSince !== undefined) tally.recovered(performance.now() - failingSince);
        failingSince = undefined;
      } catch (error) {
        tally.failed(error);
        failingSince ??= started;
        connections.close();
        connections = new Connections();
        // A client that tries again at once would only count faster.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    if (failingSince !== undefined) tally.recovered(Number.POSITIVE_INFINITY);
    connections.close();
  }

  async #read(connections: Connections, name: string, content: Buffer): Promise<void> {
    const tracker = await connections.to(this.#tracker);
    const file = { group: "group1", filename: name };
    const server = await tracker.call(trackerQueries.queryFetch, file);
    const storage = await connections.to(server);
    const flow = await storage.download(storageFiles.downloadFile, {
      ...{ ...file, offset: 0, length: 0 },
    });
    if (!(await collect(flow)).equals(content)) throw new Error("another content");
  }

  async #store(connections: Connections): Promise<void> {
    const tracker = await connections.to(this.#tracker);
    const server = await tracker.call(trackerQueries.queryStore, undefined);
    const storage = await connections.to(server);
    this.#next += 1;
    const content = Buffer.from(`stored ${this.#next} `.repeat(200));
    const { storePathIndex } = server;
    const request = { storePathIndex, fileSize: content.length, extension: "bin" };
    const source = sourceOfBytes(content);
    const { filename } = await storage.upload(storageFiles.uploadFile, request, source);
    this.stored.set(filename, content);
  }
}

class Connections {
  readonly #open = new Map<string, FrameClient>();

  async to({ address, port }: Place): Promise<FrameClient> {
    const key = `${address}:${port}`;
    const known = this.#open.get(key);
    if (known?.usable === true) return known;
    const where = { address, port, timeoutMs: 5000 };
    const made = await FrameClient.connect(where, { network, clock: nodeClock, networkTimeoutMs });
    this.#open.set(key, made);
    return made;
  }

  close(): void {
    for (const client of this.#open.values()) client.destroy();
  }
}

class Tally {
  #done = 0;
  #failed = 0;
  #gapMs = 0;
  #longestMs = 0;
  readonly #why = new Set<string>();

  succeeded(tookMs: number): void {
    this.#done += 1;
    this.#longestMs = Math.max(this.#longestMs, tookMs);
  }

  failed(error: unknown): void {
    this.#failed += 1;
    this.#why.add(error instanceof WireStatusError ? String(error.status) : String(error));
  }

  recovered(gapMs: number): void {
    this.#gapMs = Math.max(this.#gapMs, gapMs);
  }

  /** Since the last call. */
  figures(): RoutedFigures {
    const rounded = (ms: number): number => Math.round(ms * 10) / 10;
    const figures = {
      ...{ done: this.#done, failed: this.#failed, why: [...this.#why] },
      ...{ gapMs: rounded(this.#gapMs), longestMs: rounded(this.#longestMs) },
    };
    [this.#done, this.#failed, this.#gapMs, this.#longestMs] = [0, 0, 0, 0];
    this.#why.clear();
    return figures;
  }
}
