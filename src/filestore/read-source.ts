/**
 * A file's range as a source: the first piece came with the opening, the others are read one ahead of the sender. Blocks go
 * back to the pool when the sender has passed them to the kernel. Main thread.
 */
import { blockRoom, blockSizeFor } from "#filestore/block-pool.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { StorePathClient } from "#filestore/store-path-client.ts";
import { request } from "#filestore/worker-messages.ts";
import type { ByteSource, Piece } from "#net/byte-flow.ts";

export interface OpenRead {
  /** The worker's handle for what follows the first piece; 0 where nothing does. */
  readonly handle: number;
  readonly offset: number;
  readonly length: number;
  readonly firstBlock: number;
  readonly firstLength: number;
}

export class ReadSource implements ByteSource {
  readonly length: number;
  readonly #client: StorePathClient;
  readonly #read: OpenRead;
  #firstPending: boolean;
  #position: number;
  #open: boolean;
  #ahead: Promise<Piece> | undefined;

  constructor(client: StorePathClient, read: OpenRead) {
    this.#client = client;
    this.#read = read;
    this.length = read.length;
    this.#firstPending = true;
    this.#position = read.firstLength;
    this.#open = read.handle !== 0;
  }

  async next(): Promise<Piece | undefined> {
    if (this.#firstPending) {
      this.#firstPending = false;
      if (this.#open) this.#startAhead();
      const { firstBlock, firstLength } = this.#read;
      if (firstLength > 0) return this.#piece(firstBlock, firstLength);
      this.#client.blocks.give(firstBlock);
      return undefined;
    }
    const ahead = this.#ahead;
    if (ahead === undefined) return undefined;
    this.#ahead = undefined;
    const piece = await ahead;
    if (!this.#open) {
      piece.release();
      return undefined;
    }
    if (this.#position < this.length) this.#startAhead();
    return piece;
  }

  close(): void {
    if (this.#firstPending) {
      this.#firstPending = false;
      this.#client.blocks.give(this.#read.firstBlock);
    }
    const ahead = this.#ahead;
    this.#ahead = undefined;
    ahead?.then((piece) => piece.release(), failureIsKept);
    if (!this.#open) return;
    this.#open = false;
    this.#client.send({ kind: request.readEnd, a: this.#read.handle }).catch(() => {
      // The path went away, and its handles with it.
    });
  }

  #startAhead(): void {
    const ahead = this.#readAhead();
    ahead.catch(failureIsKept);
    this.#ahead = ahead;
  }

  async #readAhead(): Promise<Piece> {
    const start = this.#position;
    const wanted = this.length - start;
    const size = blockSizeFor(wanted);
    const block = this.#client.blocks.tryTake(size) ?? (await this.#client.blocks.take(size));
    if (!this.#open) {
      this.#client.blocks.give(block);
      throw fileStoreError("file-invalid", "the read was given up");
    }
    const capacity = this.#client.blocks.view(block).length;
    const length = Math.min(wanted, capacity);
    this.#position += length;
    try {
      await this.#client.send({
        kind: request.readMore,
        a: this.#read.handle,
        b: this.#read.offset + start,
        c: length,
        block,
      });
    } catch (error) {
      this.#client.blocks.give(block);
      throw error;
    }
    return this.#piece(block, length);
  }

  #piece(block: number, length: number): Piece {
    let held = true;
    return {
      bytes: this.#client.blocks.view(block).subarray(0, length),
      room: blockRoom,
      release: () => {
        if (!held) return;
        held = false;
        this.#client.blocks.give(block);
      },
    };
  }
}

/** Whoever takes the piece learns of the failure; until then it must not count as one that nobody handles. */
function failureIsKept(): void {}
