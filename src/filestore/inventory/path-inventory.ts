/**
 * Inventories of one store path, and what its binlog knows, as the main thread asks its worker for them. All calls reject with
 * `AppError<FileStoreErrorCode>`. Main thread; nothing is kept but what is answered.
 */

import { type BinlogPosition, binlogStart } from "#filestore/binlog/position.ts";
import { largeBlockBytes } from "#filestore/block-pool.ts";
import { fileStoreError } from "#filestore/errors.ts";
import { encodeHorizons, type Horizons } from "#filestore/inventory/horizons.ts";
import { type InventoryEntry, parseEntry } from "#filestore/inventory/inventory-entry.ts";
import {
  countBytes,
  fanOut,
  InventoryTable,
  leafCount,
  nodeBytes,
} from "#filestore/inventory/inventory-table.ts";
import type { RequestFields } from "#filestore/store-path-client.ts";
import { parseAnswer, type SearchAnswer } from "#filestore/worker/binlog-search.ts";
import { inventoryFlag, request } from "#filestore/worker-messages.ts";

/** What this needs of a store path's client. */
export interface InventoryPath {
  readonly blocks: {
    take(size: "large"): Promise<number>;
    give(block: number): void;
    view(block: number): Uint8Array;
  };
  send(fields: RequestFields): Promise<{
    readonly a: number;
    readonly b: number;
    readonly flags: number;
    readonly blockLength: number;
  }>;
}

export interface WalkProgress {
  readonly leavesDone: number;
  readonly files: number;
}

export interface LeafPage {
  readonly entries: readonly InventoryEntry[];
  readonly more: boolean;
}

export interface NamesPage {
  /** Whole lines, see protocol §2.7/26. */
  readonly lines: Uint8Array;
  readonly next: BinlogPosition;
  readonly atEnd: boolean;
}

/** Names and slots of one search: answers fit into a block, as do questions. */
export const maxNamesASearch = 1024;

export class PathInventory {
  readonly #path: InventoryPath;

  constructor(path: InventoryPath) {
    this.#path = path;
  }

  /** Begins a walk with `share` percent of the thread's time, 1 … 100. Its number, or undefined while another one is under way. */
  begin(horizons: Horizons, share: number): Promise<number | undefined> {
    const bytes = encodeHorizons(horizons);
    return this.#withBlock(async (block, view) => {
      view.set(bytes);
      const fields = { kind: request.inventoryBegin, block, blockLength: bytes.length, a: share };
      const { a } = await this.#path.send(fields);
      return a === 0 ? undefined : a;
    });
  }

  async progress(walk: number): Promise<WalkProgress> {
    const { a, b } = await this.#path.send({ kind: request.inventoryRead, a: walk, block: -1 });
    return { leavesDone: a, files: b };
  }

  /** What a walk that is done has found; it is forgotten there. */
  async take(walk: number): Promise<InventoryTable> {
    const table = new InventoryTable();
    await this.#withBlock(async (block, view) => {
      for (let leaf = 0; leaf < leafCount; ) {
        const fields = { kind: request.inventoryRead, a: walk, b: leaf, block };
        const { blockLength } = await this.#path.send({ ...fields, blockLength: view.length });
        if (blockLength < nodeBytes) throw fileStoreError("disk-failed", "an inventory is cut off");
        leaf = table.read(leaf, view.subarray(0, blockLength));
      }
    });
    await this.end(walk);
    return table;
  }

  async end(walk: number): Promise<void> {
    await this.#path.send({ kind: request.inventoryEnd, a: walk });
  }

  /** How many names each directory of `upper` has now, or with −1 how many directories each upper one has. */
  counts(upper: number): Promise<readonly number[]> {
    return this.#withBlock(async (block, view) => {
      const fields = { kind: request.inventoryRead, a: 0, b: upper < 0 ? fanOut : upper, block };
      const { blockLength } = await this.#path.send({ ...fields, blockLength: view.length });
      const bytes = Buffer.from(view.buffer, view.byteOffset, blockLength);
      const counts = Array.from({ length: blockLength / countBytes }, (_, at) => at * countBytes);
      return counts.map((at) => bytes.readUInt32BE(at));
    });
  }

  /** The entries of directory `leaf` whose keys come behind `after`, in order. */
  leaf(leaf: number, after: string, horizons: Horizons): Promise<LeafPage> {
    return this.#withBlock(async (block, view) => {
      const bytes = encodeHorizons(horizons);
      view.set(bytes);
      const fields = { kind: request.inventoryLeaf, a: leaf, text: after };
      const page = await this.#path.send({ ...fields, block, blockLength: bytes.length });
      const lines = linesOf(view, page.blockLength);
      const entries = lines.map(parseEntry).filter((entry) => entry !== undefined);
      return { entries, more: (page.flags & inventoryFlag.more) !== 0 };
    });
  }

  /** One answer for each name or slot key, in their order; any number of them. Reads all of the binlog. */
  async search(wanted: readonly string[]): Promise<readonly SearchAnswer[]> {
    const answers: SearchAnswer[] = [];
    for (let at = 0; at < wanted.length; at += maxNamesASearch) {
      const part = wanted.slice(at, at + maxNamesASearch);
      for (const answer of await this.#searchPart(part)) answers.push(answer);
    }
    return answers;
  }

  /** What was made here, and is still there, from a place in the binlog on. */
  names(from: BinlogPosition = binlogStart): Promise<NamesPage> {
    return this.#withBlock(async (block, view) => {
      const fields = { kind: request.pathNames, a: from.index, b: from.offset, block };
      const page = await this.#path.send({ ...fields, blockLength: largeBlockBytes });
      return {
        lines: Buffer.from(view.subarray(0, page.blockLength)),
        next: { index: page.a, offset: page.b },
        atEnd: (page.flags & inventoryFlag.more) === 0,
      };
    });
  }

  #searchPart(wanted: readonly string[]): Promise<readonly SearchAnswer[]> {
    return this.#withBlock(async (block, view) => {
      const text = wanted.map((key) => `${key}\n`).join("");
      const bytes = Buffer.from(text, "latin1");
      view.set(bytes);
      const fields = { kind: request.binlogSearch, block, blockLength: bytes.length };
      const { blockLength } = await this.#path.send(fields);
      const lines = linesOf(view, blockLength);
      return wanted.map((_, at) => parseAnswer(lines[at] ?? ""));
    });
  }

  async #withBlock<Result>(
    use: (block: number, view: Uint8Array) => Promise<Result>,
  ): Promise<Result> {
    const { blocks } = this.#path;
    const block = await blocks.take("large");
    try {
      return await use(block, blocks.view(block));
    } finally {
      blocks.give(block);
    }
  }
}

function linesOf(view: Uint8Array, length: number): readonly string[] {
  const bytes = Buffer.from(view.buffer, view.byteOffset, length);
  return bytes.toString("latin1").split("\n").slice(0, -1);
}
