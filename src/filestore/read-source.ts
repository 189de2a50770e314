/**
 * A file's range as a source: the first piece came with the opening, the others are read one ahead of the sender as long as
 * there are blocks to spare. Blocks go back to the pool when the sender has passed them to the kernel, so that a client which
 * takes nothing holds the one that is being sent; what was read ahead for it is given up when others need the block, and read
 * again. Main thread.
 */
import {
  type BlockHolder,
  type BlockPool,
  type BlockSize,
  blockRoom,
  blockSizeFor,
} from "#filestore/block-pool.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { StorePathClient } from "#filestore/store-path-client.ts";
import { flagLast, request } from "#filestore/worker-messages.ts";
import type { ByteSource, Piece } from "#net/byte-flow.ts";
import type { DirectPeer } from "#net/direct-peer.ts";
import type { SocketLease } from "#platform/lent-sockets.ts";

export interface OpenRead {
  /** The worker's handle for what follows the first piece; 0 where nothing does. */
  readonly handle: number;
  readonly offset: number;
  readonly length: number;
  readonly firstBlock: number;
  /** In that block. */
  readonly firstLength: number;
  /** Sent directly before that: with the header, and of the range; undefined where that was not tried. */
  readonly sent?: number | undefined;
  readonly gone?: number;
  /** Who may be sent more directly. */
  readonly peer?: DirectPeer | undefined;
}

/** A piece that nobody has asked for yet. */
interface Ahead {
  /** In the range. */
  readonly start: number;
  readonly size: BlockSize;
  readonly piece: Promise<Piece>;
  /** Set when it has been read. */
  read: Piece | undefined;
}

export class ReadSource implements ByteSource, BlockHolder {
  readonly length: number;
  readonly sent: number;
  readonly #client: StorePathClient;
  readonly #read: OpenRead;
  /** Undefined also where nothing could be sent directly: it cannot be done with this file. */
  #peer: DirectPeer | undefined;
  /** The worker still has the file open for us. */
  #handleOpen: boolean;
  #firstPending: boolean;
  #position: number;
  #open: boolean;
  #ahead: Ahead | undefined;

  constructor(client: StorePathClient, read: OpenRead) {
    this.#client = client;
    this.#read = read;
    this.length = read.length;
    this.#firstPending = true;
    this.sent = read.sent ?? 0;
    this.#peer = read.sent !== undefined && read.gone === 0 ? undefined : read.peer;
    this.#position = (read.gone ?? 0) + read.firstLength;
    this.#handleOpen = read.handle !== 0;
    this.#open = this.#handleOpen;
    if (this.#handleOpen) client.blocks.payloads += 1;
  }

  next(): Piece | undefined | Promise<Piece | undefined> {
    if (!this.#firstPending) return this.#following();
    this.#firstPending = false;
    this.#startAhead();
    const { firstBlock, firstLength } = this.#read;
    if (firstLength > 0) return this.#piece(firstBlock, firstLength);
    this.#client.blocks.give(firstBlock);
    return this.#hasMore ? this.#following() : undefined;
  }

  async #following(): Promise<Piece | undefined> {
    const ahead = this.#takeAhead();
    if (ahead === undefined && !this.#hasMore) return undefined;
    const direct = ahead === undefined ? this.#sendDirectly() : undefined;
    if (direct !== undefined) return direct;
    const piece = await (ahead?.piece ?? this.#readNow());
    if (!this.#open) {
      piece?.release();
      return undefined;
    }
    this.#startAhead();
    return piece;
  }

  close(): void {
    if (this.#firstPending) {
      this.#firstPending = false;
      this.#client.blocks.give(this.#read.firstBlock);
    }
    this.#takeAhead()?.piece.then((piece) => piece.release(), failureIsKept);
    this.#open = false;
    if (!this.#handleOpen) return;
    this.#letGo();
    this.#client.send({ kind: request.readEnd, a: this.#read.handle }).catch(() => {
      // The path went away, and its handles with it.
    });
  }

  #letGo(): void {
    if (this.#handleOpen) this.#client.blocks.payloads -= 1;
    this.#handleOpen = false;
  }

  /** Others need the block of what nobody has asked for yet. */
  yieldBlock(size: BlockSize): void {
    const ahead = this.#ahead;
    if (ahead?.read === undefined || ahead.size !== size) return;
    this.#takeAhead();
    this.#position = ahead.start;
    ahead.read.release();
  }

  get #hasMore(): boolean {
    return this.#open && this.#position < this.length;
  }

  #takeAhead(): Ahead | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    this.#client.blocks.holders.delete(this);
    return ahead;
  }

  #startAhead(): void {
    // What a peer is sent directly comes when it has room for it.
    if (!this.#hasMore || this.#peer !== undefined) return;
    const size = blockSizeFor(this.length - this.#position);
    const block = this.#client.blocks.tryTakeSpare(size);
    if (block === undefined) return;
    const start = this.#position;
    const ahead: Ahead = { start, size, piece: this.#readInto(block), read: undefined };
    this.#ahead = ahead;
    ahead.piece.then((piece) => {
      if (this.#ahead !== ahead) return;
      ahead.read = piece;
      if (this.#client.blocks.crowded) this.yieldBlock(size);
      else this.#client.blocks.holders.add(this);
    }, failureIsKept);
  }

  /** The worker sends the next bytes itself; undefined where the socket cannot be had now. */
  #sendDirectly(): Promise<Piece | undefined> | undefined {
    const peer = this.#peer;
    const block = peer === undefined ? undefined : this.#client.blocks.tryTake("small");
    if (block === undefined) return undefined;
    const lease = peer?.lend();
    if (lease !== undefined) return this.#sendFrom(block, lease);
    this.#client.blocks.give(block);
    return undefined;
  }

  async #sendFrom(block: number, lease: SocketLease): Promise<Piece | undefined> {
    let answer: RingRecord;
    try {
      answer = await this.#client.send({
        ...{ kind: request.readMore, flags: flagLast, a: this.#read.handle },
        ...{ b: this.#read.offset + this.#position, c: this.length - this.#position },
        ...{ block, lease },
      });
    } catch (error) {
      this.#client.blocks.give(block);
      throw error;
    }
    const { b: sent, blockLength: length } = answer;
    this.#position += sent + length;
    if (sent === 0) this.#peer = undefined;
    if (answer.c !== 0) this.#letGo();
    const piece = new BlockPiece(this.#client.blocks, block, { length, sent });
    // Nothing is in the block, or nobody wants it any more.
    if (length === 0 || !this.#open) piece.release();
    return this.#open ? piece : undefined;
  }

  /** The piece that is asked for was not read ahead. Undefined when the source was closed meanwhile. */
  async #readNow(): Promise<Piece | undefined> {
    const block = await this.#client.blocks.take(blockSizeFor(this.length - this.#position));
    if (this.#open) return this.#readInto(block);
    this.#client.blocks.give(block);
    return undefined;
  }

  async #readInto(block: number): Promise<Piece> {
    const start = this.#position;
    const capacity = this.#client.blocks.view(block).length;
    const length = Math.min(this.length - start, capacity);
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
    return new BlockPiece(this.#client.blocks, block, { length, sent: 0 });
  }
}

class BlockPiece implements Piece {
  readonly bytes: Uint8Array;
  readonly room = blockRoom;
  readonly sent: number;
  readonly #blocks: BlockPool;
  readonly #block: number;
  #held = true;

  constructor(
    blocks: BlockPool,
    block: number,
    { length, sent }: { readonly length: number; readonly sent: number },
  ) {
    this.#blocks = blocks;
    this.#block = block;
    this.sent = sent;
    this.bytes = blocks.view(block).subarray(0, length);
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#blocks.give(this.#block);
  }
}

/** Whoever takes the piece learns of the failure; until then it must not count as one that nobody handles. */
function failureIsKept(): void {}
