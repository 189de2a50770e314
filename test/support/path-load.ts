/** Clients that store and read small files on one store path without a pause, and how long each operation took them. */
import { statusOf } from "./live-node.ts";
import { StorageCaller } from "./storage-caller.ts";

export interface LoadFigures {
  readonly operations: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

export class PathLoad {
  /** What was acknowledged, with its content. */
  readonly stored = new Map<string, Buffer>();
  /** Statuses of operations that were refused. */
  readonly refused: number[] = [];
  readonly #port: number;
  readonly #path: number | undefined;
  readonly #latencies: number[] = [];
  #going = true;
  #failure: unknown;
  readonly #clients: Promise<void>[] = [];
  #next = 0;

  /** Without a path the storage chooses. */
  constructor(port: number, options: { readonly clients: number; readonly path?: number }) {
    this.#port = port;
    this.#path = options.path;
    for (let client = 0; client < options.clients; client += 1) {
      this.#clients.push(
        this.#run().catch((error: unknown) => {
          this.#failure ??= error;
        }),
      );
    }
  }

  /** Figures since the last call. */
  figures(): LoadFigures {
    const sorted = this.#latencies.splice(0).sort((one, other) => one - other);
    const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
    const rounded = (ms: number): number => Math.round(ms * 10) / 10;
    return {
      operations: sorted.length,
      p50: rounded(at(0.5)),
      p99: rounded(at(0.99)),
      longest: rounded(at(1)),
    };
  }

  /** Ends when every client's operation has. Rejects when one of them had another end than an answer. */
  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#clients);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #run(): Promise<void> {
    while (this.#going) {
      const storage = await StorageCaller.connect(this.#port);
      let status = 0;
      while (this.#going && status === 0) status = await this.#exchange(storage);
      storage.close();
      if (status !== 0) this.refused.push(status);
    }
  }

  async #exchange(storage: StorageCaller): Promise<number> {
    this.#next += 1;
    const content = Buffer.from(`content ${this.#next} `.repeat(100));
    const options = this.#path === undefined ? {} : { path: this.#path };
    const started = performance.now();
    const status = await statusOf(
      (async () => {
        const name = await storage.upload(content, options);
        this.stored.set(name, content);
        const read = await storage.download(name);
        if (!read.equals(content)) throw new Error(`${name} came back with another content`);
      })(),
    );
    this.#latencies.push(performance.now() - started);
    return status;
  }
}
