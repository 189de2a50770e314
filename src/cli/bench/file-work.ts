/** The files of a benchmark on one target: stored before a step that needs some, deleted when none does any more. */
import type { BenchStep } from "#cli/bench/bench-step.ts";
import type { BenchTarget } from "#cli/bench/bench-target.ts";
import { FileStock, mostFilesUsed } from "#client/load/file-stock.ts";
import { LoadGenerator } from "#client/load/load-generator.ts";
import { type LoadOperation, operationFacts } from "#client/load/load-operation.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";

export interface FileWorkOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly checksums: boolean;
  readonly maxStoredBytes: number;
  readonly timeoutMs: number;
  readonly seed: number;
  /** Operations of a step, where that is what ends it. */
  readonly count: number | undefined;
  progress(text: string): void;
}

const mebibyte = 1024 * 1024;
/** What is stored for steps that read: enough that connections seldom meet at one file. */
const readSet = { files: 1000, bytes: 64 * mebibyte };
/** What is stored for a round of deletions where uploads left too little. */
const deleteSet = { files: 5000, bytes: 256 * mebibyte };
const fewestFiles = 4;
const ownConnections = 16;
/** Storing and deleting beside the measurements must end, too. */
const preparationLimitMs = 120_000;

export class FileWork {
  readonly #target: BenchTarget;
  readonly #options: FileWorkOptions;
  readonly #stocks = new Map<number, FileStock>();
  /** Sizes whose files have metadata. */
  readonly #described = new Set<number>();

  constructor(target: BenchTarget, options: FileWorkOptions) {
    this.#target = target;
    this.#options = options;
  }

  stockOf({ sizeBytes }: Pick<BenchStep, "sizeBytes">): FileStock {
    const stock = this.#stocks.get(sizeBytes) ?? new FileStock(sizeBytes);
    this.#stocks.set(sizeBytes, stock);
    return stock;
  }

  generator(step: BenchStep): LoadGenerator {
    const { trackers, storages } = this.#target;
    const servers = operationFacts[step.operation].server === "tracker" ? trackers : storages;
    return new LoadGenerator({ ...this.#options, ...step, servers, stock: this.stockOf(step) });
  }

  /** Makes what the step needs. For deletions the number of files that this round may use up, of `rounds` that are to come. */
  async prepare(step: BenchStep, rounds: number): Promise<number | undefined> {
    const { files } = operationFacts[step.operation];
    const { count } = this.#options;
    const stock = this.stockOf(step);
    if (files === "makes") await this.#makeRoom(stock);
    if (files === "uses") {
      await this.#fill(stock, amount(readSet, step.sizeBytes));
      if (step.operation === "get-metadata") await this.#describe(stock);
    }
    if (files !== "consumes") return undefined;
    const wanted = count === undefined ? amount(deleteSet, step.sizeBytes) : Math.ceil(count * 1.1);
    const share = Math.floor(stock.count / rounds);
    // A round that has a fraction of the others' files would say little.
    if (share < Math.min(wanted, readSet.files)) await this.#fill(stock, wanted * rounds);
    return Math.max(1, Math.floor(stock.count / rounds));
  }

  /** Deletes what is left of a size; resolves to how many files could not be. `lost` tries nothing. */
  async clean(sizeBytes: number, lost: boolean): Promise<number> {
    const stock = this.#stocks.get(sizeBytes);
    if (stock === undefined) return 0;
    if (!lost && stock.count + stock.asideCount > 0) {
      stock.retryRest();
      this.#options.progress(`deleting ${stock.count} files on ${this.#target.name}`);
      await this.#run("delete", stock, { count: stock.count });
    }
    this.#stocks.delete(sizeBytes);
    this.#described.delete(sizeBytes);
    return stock.count + stock.asideCount;
  }

  /** Another round must have as much room as the first one, or it would be a short one. */
  async #makeRoom(stock: FileStock): Promise<void> {
    const { maxStoredBytes, signal } = this.#options;
    if (stock.totalBytes <= maxStoredBytes / 2) return;
    const quarter = Math.floor(maxStoredBytes / 4 / stock.sizeBytes);
    const surplus = stock.count - Math.min(quarter, amount(readSet, stock.sizeBytes));
    if (surplus > 0) await this.#run("delete", stock, { count: surplus, signal });
  }

  async #fill(stock: FileStock, wanted: number): Promise<void> {
    const { maxStoredBytes } = this.#options;
    const room = Math.floor(maxStoredBytes / Math.max(1, stock.sizeBytes));
    const missing = Math.min(wanted, room) - stock.count;
    if (missing > 0)
      await this.#run("upload", stock, { count: missing, signal: this.#options.signal });
  }

  async #describe(stock: FileStock): Promise<void> {
    if (this.#described.has(stock.sizeBytes)) return;
    this.#described.add(stock.sizeBytes);
    const count = Math.min(stock.count, mostFilesUsed * this.#target.storages.length);
    // Lanes of several storages do not keep step with each other, so that one round would leave some out.
    const rounds = this.#target.storages.length > 1 ? 2 : 1;
    const { signal } = this.#options;
    await this.#run("set-metadata", stock, { count: count * rounds, signal });
  }

  async #run(
    operation: LoadOperation,
    stock: FileStock,
    limit: { readonly count: number; readonly signal?: AbortSignal },
  ): Promise<void> {
    const { storages } = this.#target;
    const connections = Math.max(storages.length, Math.min(ownConnections, limit.count));
    const step = { operation, sizeBytes: stock.sizeBytes, connections, fresh: false };
    const generator = this.generator(step);
    try {
      await generator.open();
      await generator.run({ ...limit, durationMs: preparationLimitMs });
    } finally {
      generator.close();
    }
  }
}

function amount(
  set: { readonly files: number; readonly bytes: number },
  sizeBytes: number,
): number {
  const fit = Math.ceil(set.bytes / Math.max(1, sizeBytes));
  return Math.max(fewestFiles, Math.min(set.files, fit));
}
