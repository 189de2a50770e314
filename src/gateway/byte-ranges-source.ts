/**
 * Several ranges of one file as one `multipart/byteranges` body (RFC 9110 §14.6). The length is known beforehand; each range is
 * opened when its turn comes, so that a slow client holds one piece of memory and not one a range.
 */
import { type ByteRange, contentRange, lengthOf } from "#gateway/byte-range.ts";
import type { ByteSource, Piece } from "#net/byte-flow.ts";

export interface ByteRangesOptions {
  readonly ranges: readonly ByteRange[];
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly boundary: string;
  /** Rejects where the file has changed since the reply began. */
  readonly open: (range: ByteRange) => Promise<ByteSource>;
}

export class ByteRangesSource implements ByteSource {
  readonly length: number;
  readonly #options: ByteRangesOptions;
  readonly #heads: readonly Buffer[];
  readonly #tail: Buffer;
  #at = 0;
  #current: ByteSource | undefined;
  #ended = false;

  constructor(options: ByteRangesOptions) {
    this.#options = options;
    this.#heads = options.ranges.map((range, at) => headOf(options, range, at === 0));
    this.#tail = Buffer.from(`\r\n--${options.boundary}--\r\n`);
    const frames = this.#heads.reduce((sum, head) => sum + head.length, this.#tail.length);
    this.length = options.ranges.reduce((sum, range) => sum + lengthOf(range), frames);
  }

  async next(): Promise<Piece | undefined> {
    if (this.#ended) return undefined;
    const piece = await this.#current?.next();
    if (piece !== undefined) return piece;
    this.#current?.close();
    this.#current = undefined;
    const range = this.#options.ranges[this.#at];
    const head = this.#heads[this.#at];
    if (range === undefined || head === undefined) {
      this.#ended = true;
      return own(this.#tail);
    }
    this.#at += 1;
    const source = await this.#options.open(range);
    if (this.#ended) source.close();
    else this.#current = source;
    return own(head);
  }

  close(): void {
    this.#ended = true;
    this.#current?.close();
    this.#current = undefined;
  }
}

function headOf(options: ByteRangesOptions, range: ByteRange, first: boolean): Buffer {
  const lines = [
    `${first ? "" : "\r\n"}--${options.boundary}`,
    `Content-Type: ${options.contentType}`,
    `Content-Range: ${contentRange(range, options.sizeBytes)}`,
    "",
    "",
  ];
  return Buffer.from(lines.join("\r\n"));
}

function own(bytes: Uint8Array): Piece {
  return { bytes, room: 0, release: () => {} };
}
