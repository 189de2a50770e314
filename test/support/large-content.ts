/** Content far larger than memory, made block by block as it is sent, and told again from its place when it comes back. */
import { crc32 } from "node:zlib";
import type { ByteSource, Piece } from "#net/byte-flow.ts";

export const contentBlockBytes = 1024 * 1024;
/** More than any sender keeps on its way at a time. */
const buffers = 6;

export class LargeContent {
  readonly length: number;
  /** The same in all blocks, but for their number at the start. */
  readonly #body = Buffer.alloc(contentBlockBytes);

  /** `blocks` of a MiB and a few bytes more, so that the end is nowhere even. */
  constructor(blocks: number) {
    this.length = blocks * contentBlockBytes + 11;
    for (let at = 0; at + 4 <= contentBlockBytes; at += 4) {
      this.#body.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at);
    }
  }

  /** Fills `target`, of a block's size, with the block at this place. */
  block(at: number, target: Buffer): Buffer {
    const length = Math.min(contentBlockBytes, this.length - at);
    this.#body.copy(target, 0, 0, length);
    target.writeUInt32LE(at / contentBlockBytes, 0);
    return target.subarray(0, length);
  }

  /** CRC-32 from `start`, a block's, up to `end`. */
  crc(start = 0, end = this.length): number {
    const buffer = Buffer.alloc(contentBlockBytes);
    let sum = 0;
    for (let at = start; at < end; at += contentBlockBytes) {
      const block = this.block(at, buffer);
      sum = crc32(block.subarray(0, Math.min(block.length, end - at)), sum);
    }
    return sum;
  }

  source(): ByteSource {
    const free = Array.from({ length: buffers }, () => Buffer.alloc(contentBlockBytes));
    let at = 0;
    return {
      length: this.length,
      next: async (): Promise<Piece | undefined> => {
        if (at >= this.length) return undefined;
        const buffer = free.pop();
        if (buffer === undefined) throw new Error("the sender holds too many pieces");
        const bytes = this.block(at, buffer);
        at += bytes.length;
        return { bytes, room: 0, release: () => free.push(buffer) };
      },
      close: () => {
        at = this.length;
      },
    };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (let at = 0; at < this.length; at += contentBlockBytes) {
      // A stream keeps what it was given until it is sent: a buffer each.
      yield this.block(at, Buffer.allocUnsafe(contentBlockBytes));
    }
  }
}
