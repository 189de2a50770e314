/** Batches of changes in blocks of the store path that they are of, see `ReplicaBatch` and `FilledBatch`. Main thread. */
import type { BatchOutcome, FilledBatch, ReplicaBatch } from "#filestore/replica-store.ts";
import type { ServedPath } from "#filestore/served-path.ts";
import type { StorePathClient } from "#filestore/store-path-client.ts";
import { batchOutcomes, request } from "#filestore/worker-messages.ts";

const zero = 0x30;

export class BatchBlock implements ReplicaBatch {
  readonly #path: ServedPath;
  readonly #block: number;
  readonly bytes: Uint8Array;

  /** The block is the batch's from now on. */
  constructor(path: ServedPath, block: number, lengthBytes: number) {
    this.#path = path;
    this.#block = block;
    this.bytes = path.client.blocks.view(block).subarray(0, lengthBytes);
  }

  async store(records: number): Promise<BatchOutcome> {
    const kind = request.replicaBatch;
    const [block, blockLength] = [this.#block, this.bytes.length];
    try {
      const {
        text,
        a: latest,
        b: bytes,
      } = await this.#path.client.send({
        ...{ kind, block, blockLength, a: records },
      });
      const outcomes = Array.from(text, (digit) => batchOutcomes[digit.charCodeAt(0) - zero]);
      if (outcomes.includes("done")) this.#path.stored(bytes);
      return { outcomes, latest, bytes };
    } catch {
      // One by one each is told why.
      return { outcomes: Array.from({ length: records }), latest: 0, bytes: 0 };
    }
  }

  release(): void {
    this.#path.client.blocks.give(this.#block);
  }
}

/** Has the worker read files into the block, which goes back where that fails. Never rejects. */
export async function fillBatch(
  client: StorePathClient,
  block: number,
  lines: readonly string[],
): Promise<FilledBatch | undefined> {
  const { blocks } = client;
  const bytes = blocks.view(block);
  const text = lines.map((line) => `${line}\n`).join("");
  try {
    if (text.length > bytes.length) throw new RangeError("lines of a binlog are short");
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const blockLength = view.write(text, "latin1");
    const answer = await client.send({ kind: request.readBatch, block, blockLength });
    const isIn = Array.from(answer.text, (digit) => digit === "1");
    const release = (): void => blocks.give(block);
    return { bytes, lengthBytes: answer.blockLength, isIn, release };
  } catch {
    // One by one each is told why.
    blocks.give(block);
    return undefined;
  }
}
