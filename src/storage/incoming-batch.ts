/**
 * The body of a `syncBatch` as it comes: into memory of the store path's worker where that has room, so that contents are not looked at here.
 * Main thread.
 */
import type { BatchOutcome, ReplicaBatch, ReplicaStore } from "#filestore/replica-store.ts";
import type { ByteSink } from "#net/byte-flow.ts";
import { firstName } from "#protocol/peer/sync-record.ts";

export class IncomingBatch implements ByteSink {
  readonly #store: Pick<ReplicaStore, "receiveBatch">;
  readonly #lengthBytes: number;
  #batch: ReplicaBatch | undefined;
  #bytes: Uint8Array | undefined;
  #filled = 0;

  constructor(store: Pick<ReplicaStore, "receiveBatch">, lengthBytes: number) {
    this.#store = store;
    this.#lengthBytes = lengthBytes;
  }

  write(chunk: Uint8Array): boolean {
    this.#bytes ??= this.#room(chunk);
    // Into shared memory `set` copies word by word, at half the speed.
    Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).copy(this.#bytes, this.#filled);
    this.#filled += chunk.length;
    return true;
  }

  /** What came, until `release`. */
  get bytes(): Uint8Array {
    return this.#bytes?.subarray(0, this.#filled) ?? new Uint8Array(0);
  }

  /** When all has come; see `ReplicaBatch`. */
  async store(records: number): Promise<BatchOutcome> {
    if (this.#batch !== undefined) return this.#batch.store(records);
    return { outcomes: Array.from({ length: records }), latest: 0, bytes: 0 };
  }

  release(): void {
    this.#batch?.release();
    this.#batch = undefined;
  }

  #room(begin: Uint8Array): Uint8Array {
    const name = firstName(begin);
    if (name !== undefined) this.#batch = this.#store.receiveBatch(name, this.#lengthBytes);
    return this.#batch?.bytes ?? Buffer.allocUnsafe(this.#lengthBytes);
  }
}
