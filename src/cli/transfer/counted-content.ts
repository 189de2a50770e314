/** Content whose bytes are watched on their way out: for progress, and for the CRC-32 that the file id must carry. */
import { crc32 } from "node:zlib";
import type { RepeatableContent } from "#client/content.ts";

export class CountedContent implements RepeatableContent {
  readonly length: number;
  readonly #content: RepeatableContent;
  /** Negative when a try begins again. */
  readonly #passed: (bytes: number) => void;
  #count = 0;
  #crc32 = 0;

  constructor(content: RepeatableContent, passed: (bytes: number) => void) {
    this.#content = content;
    this.length = content.length;
    this.#passed = passed;
  }

  /** Of what the last try sent, unsigned. */
  get crc32(): number {
    return this.#crc32;
  }

  open(): ReturnType<RepeatableContent["open"]> {
    const source = this.#content.open();
    this.#passed(-this.#count);
    this.#count = 0;
    this.#crc32 = 0;
    return {
      length: source.length,
      next: async () => {
        const piece = await source.next();
        if (piece === undefined) return undefined;
        this.#count += piece.bytes.length;
        this.#crc32 = crc32(piece.bytes, this.#crc32);
        this.#passed(piece.bytes.length);
        return piece;
      },
      close: () => source.close(),
    };
  }
}
