/**
 * Payload blocks in memory shared with one store-path worker. Only the main thread allocates and frees, so the allocator
 * needs no locks; the worker gets a block's number with a request and is done with it when it answers. Free blocks are reused
 * last-in-first-out, so that an idle node touches few pages.
 */

/** In front of every block's data, so that a frame header can be put there (see `frame-sender.ts`). */
export const blockRoom = 64;
export const smallBlockBytes = 16 * 1024;
export const largeBlockBytes = 256 * 1024;
const smallBlocks = 256;
const largeBlocks = 64;
/** Never given to work that could wait, such as reading ahead. */
const keptBlocks: Readonly<Record<BlockSize, number>> = { small: 64, large: 16 };

const smallStride = smallBlockBytes + blockRoom;
const largeStride = largeBlockBytes + blockRoom;
const largeStart = smallBlocks * smallStride;

export type BlockSize = "small" | "large";

export function makeBlockMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(largeStart + largeBlocks * largeStride);
}

/** The data of a block; the same view on both sides. */
export function blockView(memory: SharedArrayBuffer, block: number): Uint8Array {
  if (block < smallBlocks) {
    return new Uint8Array(memory, block * smallStride + blockRoom, smallBlockBytes);
  }
  const at = largeStart + (block - smallBlocks) * largeStride + blockRoom;
  return new Uint8Array(memory, at, largeBlockBytes);
}

/** The size class that a payload piece of this length wants. */
export function blockSizeFor(lengthBytes: number): BlockSize {
  return lengthBytes <= smallBlockBytes ? "small" : "large";
}

/** Holds a block that it could do without: a partly filled one while its sender is slow, or one that was read ahead. */
export interface BlockHolder {
  /** Gives up a block, where it is of this size, at once or when the worker is done with it. */
  yieldBlock(size: BlockSize): void;
}

export class BlockPool {
  readonly memory: SharedArrayBuffer;
  /** Who could give a block up when others run out. */
  readonly holders = new Set<BlockHolder>();
  readonly #views: (Uint8Array | undefined)[] = [];
  readonly #free: Record<BlockSize, number[]>;
  readonly #waiting: Record<BlockSize, ((block: number) => void)[]> = { small: [], large: [] };

  constructor() {
    this.memory = makeBlockMemory();
    const small = Array.from({ length: smallBlocks }, (_, index) => smallBlocks - 1 - index);
    const large = Array.from(
      { length: largeBlocks },
      (_, index) => smallBlocks + largeBlocks - 1 - index,
    );
    this.#free = { small, large };
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

  /** Waits for a block, in order of asking. */
  async take(size: BlockSize): Promise<number> {
    const block = this.tryTake(size);
    if (block !== undefined) return block;
    return new Promise((resolve) => this.#waiting[size].push(resolve));
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
    const size: BlockSize = block < smallBlocks ? "small" : "large";
    const next = this.#waiting[size].shift();
    if (next === undefined) this.#free[size].push(block);
    else next(block);
  }

  view(block: number): Uint8Array {
    this.#views[block] ??= blockView(this.memory, block);
    return this.#views[block];
  }

  /** Blocks in use, for tests and metrics. */
  get inUse(): number {
    return smallBlocks + largeBlocks - this.#free.small.length - this.#free.large.length;
  }
}
