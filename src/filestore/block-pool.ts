/**
 * Payload blocks in memory shared with one store-path worker. Only the main thread allocates and frees, so the allocator
 * needs no locks; the worker gets a block's number with a request and is done with it when it answers. A block whose request was
 * given up before that is detained: it is free when both its user and the worker are done with it. Free blocks are reused
 * last-in-first-out, so that an idle node touches few pages.
 */
import { maxSyncBatchBytes } from "#protocol/peer/sync-record.ts";

/** In front of every block's data, so that a frame header can be put there (see `frame-sender.ts`). */
export const blockRoom = 64;
export const smallBlockBytes = 16 * 1024;
export const largeBlockBytes = 256 * 1024;
/** Of those that hold a whole batch between storages. */
export const batchBlockBytes = (maxSyncBatchBytes + 63) & ~63;
const smallBlocks = 256;
const largeBlocks = 64;
/** Three times as many as there are connections to a peer. */
const batchBlocks = 12;
const firstBatchBlock = smallBlocks + largeBlocks;
/** Never given to work that could wait, such as reading ahead. */
const keptBlocks: Readonly<Record<BlockSize, number>> = { small: 64, large: 16, batch: 0 };

const smallStride = smallBlockBytes + blockRoom;
const largeStride = largeBlockBytes + blockRoom;
const batchStride = batchBlockBytes + blockRoom;
const largeStart = smallBlocks * smallStride;
const batchStart = largeStart + largeBlocks * largeStride;

export type BlockSize = "small" | "large" | "batch";

export function makeBlockMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(batchStart + batchBlocks * batchStride);
}

/** Of a block's room in the memory, in bytes; a multiple of 4. Its first word is for `direct-claims.ts`. */
export function blockStart(block: number): number {
  if (block < smallBlocks) return block * smallStride;
  if (block < firstBatchBlock) return largeStart + (block - smallBlocks) * largeStride;
  return batchStart + (block - firstBatchBlock) * batchStride;
}

/** Of a block's data in the memory, in bytes. */
export function blockDataOffset(block: number): number {
  return blockStart(block) + blockRoom;
}

/** The data of a block; the same view on both sides. */
export function blockView(memory: SharedArrayBuffer, block: number): Uint8Array {
  return new Uint8Array(memory, blockDataOffset(block), blockBytes[sizeOf(block)]);
}

const blockBytes: Readonly<Record<BlockSize, number>> = {
  small: smallBlockBytes,
  large: largeBlockBytes,
  batch: batchBlockBytes,
};

function sizeOf(block: number): BlockSize {
  if (block < smallBlocks) return "small";
  return block < firstBatchBlock ? "large" : "batch";
}

/** The size class that a payload piece of this length wants. */
export function blockSizeFor(lengthBytes: number): "small" | "large" {
  return lengthBytes <= smallBlockBytes ? "small" : "large";
}

/** Holds a block that it could do without: a partly filled one while its sender is slow, or one that was read ahead. */
export interface BlockHolder {
  /** Gives up a block, where it is of this size, at once or when the worker is done with it. */
  yieldBlock(size: BlockSize): void;
}

/** Somebody who stands in line for a block. */
interface Asker {
  readonly resolve: (block: number) => void;
  readonly reject: (error: Error) => void;
}

export class BlockPool {
  /** Payloads that are begun, and need the worker again unless they are small. */
  payloads = 0;
  readonly memory: SharedArrayBuffer;
  /** Who could give a block up when others run out. */
  readonly holders = new Set<BlockHolder>();
  readonly #views: (Uint8Array | undefined)[] = [];
  readonly #rooms: (Uint8Array | undefined)[] = [];
  readonly #free: Record<BlockSize, number[]>;
  readonly #waiting: Record<BlockSize, Asker[]> = { small: [], large: [], batch: [] };
  /** Blocks that the worker still has although their requests were given up; true where their users have given them back. */
  readonly #detained = new Map<number, boolean>();
  /** Why nobody stands in line. */
  #refusal: Error | undefined;

  constructor() {
    this.memory = makeBlockMemory();
    this.#free = {
      small: lastFirst(0, smallBlocks),
      large: lastFirst(smallBlocks, largeBlocks),
      batch: lastFirst(firstBatchBlock, batchBlocks),
    };
  }

  /** A free block, or undefined when all are in use. */
  tryTake(size: BlockSize): number | undefined {
    const block = this.#free[size].pop();
    if (block !== undefined) return block;
    this.#press(size);
    return this.#free[size].pop();
  }

  /** A block for work that could wait; undefined already when few are left. */
  tryTakeSpare(size: BlockSize): number | undefined {
    const free = this.#free[size];
    return free.length > keptBlocks[size] ? free.pop() : undefined;
  }

  /** Waits for a block, in order of asking. Rejects while the pool refuses that. */
  async take(size: BlockSize): Promise<number> {
    const block = this.tryTake(size);
    if (block !== undefined) return block;
    if (this.#refusal !== undefined) throw this.#refusal;
    return new Promise((resolve, reject) => this.#waiting[size].push({ resolve, reject }));
  }

  /** Blocks may not come back for long: whoever stands in line is sent away with `why`, until it is undefined again. */
  refuse(why: Error | undefined): void {
    this.#refusal = why;
    if (why === undefined) return;
    for (const line of Object.values(this.#waiting)) {
      for (const asker of line.splice(0)) asker.reject(why);
    }
  }

  /** The request that has this block was given up, and the worker may still write into it. */
  detain(block: number): void {
    this.#detained.set(block, false);
  }

  /** The worker is done with a block that was detained. */
  release(block: number): void {
    const wasGivenBack = this.#detained.get(block);
    this.#detained.delete(block);
    if (wasGivenBack === true) this.give(block);
  }

  /** True while somebody waits for a block: then nobody keeps one that he could do without. */
  get crowded(): boolean {
    return this.#waiting.small.length + this.#waiting.large.length > 0;
  }

  #press(size: BlockSize): void {
    for (const holder of [...this.holders]) {
      holder.yieldBlock(size);
      if (this.#free[size].length > 0) return;
    }
  }

  give(block: number): void {
    if (this.#detained.size > 0 && this.#detained.has(block)) {
      this.#detained.set(block, true);
      return;
    }
    const size = sizeOf(block);
    const next = this.#waiting[size].shift();
    if (next === undefined) this.#free[size].push(block);
    else next.resolve(block);
  }

  view(block: number): Uint8Array {
    this.#views[block] ??= blockView(this.memory, block);
    return this.#views[block];
  }

  /** What is in front of a block's data. */
  room(block: number): Uint8Array {
    this.#rooms[block] ??= new Uint8Array(this.memory, blockStart(block), blockRoom);
    return this.#rooms[block];
  }

  /** Blocks in use, for tests and metrics. */
  get inUse(): number {
    const { small, large, batch } = this.#free;
    return firstBatchBlock + batchBlocks - small.length - large.length - batch.length;
  }
}

/** Numbers of blocks as a stack, whose top is the first of them. */
function lastFirst(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + count - 1 - index);
}
