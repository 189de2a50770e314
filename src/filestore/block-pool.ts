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

/** Holds a block that is only partly filled, while its sender is slow. */
export interface BlockHolder {
  /** Gives the block to the worker as it is. */
  yieldBlock(): void;
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
    if (block === undefined) this.#press();
    return block;
  }

  /** Waits for a block, in order of asking. */
  async take(size: BlockSize): Promise<number> {
    const free = this.#free[size].pop();
    if (free !== undefined) return free;
    this.#press();
    return new Promise((resolve) => this.#waiting[size].push(resolve));
  }

  /** True while somebody waits for a block: then nobody keeps a partly filled one. */
  get crowded(): boolean {
    return this.#waiting.small.length + this.#waiting.large.length > 0;
  }

  #press(): void {
    for (const holder of [...this.holders]) holder.yieldBlock();
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
