/**
 * What an upload sends. Content that can be opened again from its start survives the failure of a server; a plain
 * `ByteSource` only as long as nothing was read from it. Lengths are known up front, because the protocol announces them.
 */
import { clientError } from "#client/errors.ts";
import type { ByteFlow, ByteSource, Piece } from "#net/byte-flow.ts";

export interface RepeatableContent {
  /** In bytes; exactly as many are sent. */
  readonly length: number;
  /** All bytes from the start on; may be asked for again after a failure, when the one before was closed. */
  open(): ByteSource;
}

export type Content = Uint8Array | RepeatableContent | ByteSource;

/** Bytes on their way in, as `FastdfsClient.download` gives them. */
export type { ByteFlow, ByteSource };

/** Anything that can be read at a place, such as an open file. */
export interface Readable {
  /** Bytes put into `target`; 0 only at the end. */
  read(target: Uint8Array, position: number): Promise<number>;
}

const blockSize = 256 * 1024;
/** More than a connection keeps on its way at a time. */
const blocksPerSource = 6;

/** `length` bytes from `offset` on of what can be read at places; the caller closes it afterwards. */
export function contentOfReadable(
  readable: Readable,
  length: number,
  offset: number = 0,
): RepeatableContent {
  return { length, open: () => sourceOfReadable(readable, length, offset) };
}

function sourceOfReadable(readable: Readable, length: number, offset: number): ByteSource {
  const free: Uint8Array[] = [];
  let made = 0;
  let given = 0;
  let wake: (() => void) | undefined;
  const take = async (): Promise<Uint8Array> => {
    for (;;) {
      const block = free.pop();
      if (block !== undefined) return block;
      if (made < blocksPerSource) {
        made += 1;
        return Buffer.allocUnsafe(Math.min(blockSize, length));
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const giveBack = (block: Uint8Array): void => {
    free.push(block);
    wake?.();
  };
  return {
    length,
    async next(): Promise<Piece | undefined> {
      if (given === length) return undefined;
      const block = await take();
      const wanted = block.subarray(0, Math.min(block.length, length - given));
      const count = await readable.read(wanted, offset + given);
      if (count === 0) throw shortContent(given, length);
      given += count;
      return { bytes: wanted.subarray(0, count), room: 0, release: () => giveBack(block) };
    },
    close: () => {
      given = length;
    },
  };
}

/** Views of `bytes`, block by block, so that it is known how far a broken connection got. */
function sourceOfBlocks(bytes: Uint8Array): ByteSource {
  let given = 0;
  return {
    length: bytes.length,
    next: async () => {
      if (given >= bytes.length) return undefined;
      const block = bytes.subarray(given, given + blockSize);
      given += block.length;
      return { bytes: block, room: 0, release: () => {} };
    },
    close: () => {
      given = bytes.length;
    },
  };
}

export function shortContent(given: number, length: number): Error {
  return clientError(
    "content-short",
    `the content ended after ${given} of ${length} bytes: it was changed while it was sent`,
  );
}

/** One content through all tries to send it, and what is known of the last one. */
export class Outgoing {
  readonly length: number;
  readonly #content: Content;
  #begun = false;
  #touched = false;
  #given = 0;

  constructor(content: Content) {
    this.#content = content;
    this.length = content.length;
  }

  /** True while another try could send everything. */
  get repeatable(): boolean {
    return this.#content instanceof Uint8Array || "open" in this.#content || !this.#touched;
  }

  /** All bytes of the last try were handed to the connection, so that the server may have acted on them. */
  get complete(): boolean {
    return this.#begun && this.#given === this.length;
  }

  /** A source for one try; `onLast` is called when its last byte is handed out. */
  begin(onLast: () => void): ByteSource {
    const content = this.#content;
    const source =
      content instanceof Uint8Array
        ? sourceOfBlocks(content)
        : "open" in content
          ? content.open()
          : content;
    this.#begun = true;
    this.#given = 0;
    if (this.length === 0) onLast();
    return {
      length: this.length,
      next: async () => {
        this.#touched = true;
        const piece = await source.next();
        if (piece === undefined && this.#given < this.length) {
          throw shortContent(this.#given, this.length);
        }
        if (piece === undefined) return undefined;
        this.#given += piece.bytes.length;
        if (this.#given === this.length) onLast();
        return piece;
      },
      close: () => source.close(),
    };
  }
}
