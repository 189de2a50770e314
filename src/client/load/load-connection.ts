/**
 * A connection of the load generator: one exchange at a time, a request from a buffer that is used again and again, and a reply
 * of which only what somebody looks at is kept. It allocates nothing for an exchange whose reply comes in one piece; our
 * general client (`net/frame-client.ts`) would cost the generator more than the server under test needs.
 */
import { crc32 } from "node:zlib";
import { keptReplyBytes, piecesInFlight } from "#client/load/limits.ts";
import { wordsOfBreak } from "#client/load/load-failures.ts";
import type { Connection } from "#platform/network.ts";
import { headerSize, readLength, replyCommand } from "#protocol/header.ts";

export interface LoadConnectionOwner {
  /** A whole reply is there: `status`, `length`, `kept` and `crc32` of the connection tell of it. */
  onReply(): void;
  /** The connection is of no further use; called once. */
  onBroken(words: string): void;
}

export class LoadConnection {
  /** Of the last reply. */
  status = 0;
  length = 0;
  /** The begin of the last reply's body. */
  readonly kept = Buffer.alloc(keptReplyBytes);
  /** Of the last reply's body, where `checksums` is on. */
  crc32 = 0;
  /** Whether replies are summed up. */
  checksums = false;
  readonly #connection: Connection;
  readonly #owner: LoadConnectionOwner;
  readonly #pattern: Uint8Array;
  readonly #header = Buffer.alloc(headerSize);
  #headerFilled = 0;
  /** Bytes of the reply's body that are to come. */
  #missing = 0;
  #asked = false;
  /** Bytes of the content that were not given to the kernel. */
  #unsent = 0;
  #inFlight = 0;
  #sending = false;
  #broken = false;

  /** `pattern` is what long content is made of. */
  constructor(connection: Connection, owner: LoadConnectionOwner, pattern: Uint8Array) {
    this.#connection = connection;
    this.#owner = owner;
    this.#pattern = pattern;
    connection.onReceive = (chunk) => this.#receive(chunk);
    connection.onEnd = () => this.#break("connection closed");
    connection.onClose = (error) => this.#break(wordsOfBreak(error));
  }

  get usable(): boolean {
    return !this.#broken && !this.#connection.closed;
  }

  /** Whether a part of the request is still here, although its reply has come. */
  get sendsStill(): boolean {
    return this.#unsent > 0;
  }

  /** Sends `head`, which must stay as it is until the reply, and `patternLength` bytes of the pattern behind it. */
  send(head: Uint8Array, patternLength: number): void {
    this.#asked = true;
    this.#unsent = patternLength;
    this.#connection.write(head);
    if (patternLength > 0) this.#sendPattern();
  }

  close(): void {
    this.#broken = true;
    this.#connection.destroy();
  }

  readonly #onPieceSent = (): void => {
    this.#inFlight -= 1;
    this.#sendPattern();
  };

  #sendPattern(): void {
    // A piece that the kernel takes at once says so from within `write`: the loop goes on, and not deeper.
    if (this.#sending) return;
    this.#sending = true;
    while (this.#unsent > 0 && this.#inFlight < piecesInFlight && this.usable) {
      const length = Math.min(this.#unsent, this.#pattern.length);
      this.#unsent -= length;
      this.#inFlight += 1;
      this.#connection.write(this.#pattern.subarray(0, length), this.#onPieceSent);
    }
    this.#sending = false;
  }

  #receive(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#broken; ) {
      if (!this.#asked) {
        this.#fail("sent more than was asked for");
        return;
      }
      at +=
        this.#headerFilled < headerSize ? this.#takeHeader(chunk, at) : this.#takeBody(chunk, at);
      if (this.#headerFilled === headerSize && this.#missing === 0) this.#deliver();
    }
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const count = Math.min(headerSize - this.#headerFilled, chunk.length - at);
    for (let offset = 0; offset < count; offset += 1) {
      this.#header[this.#headerFilled + offset] = chunk[at + offset] as number;
    }
    this.#headerFilled += count;
    if (this.#headerFilled < headerSize) return count;
    this.length = readLength(this.#header, 0);
    this.status = this.#header[9] as number;
    this.crc32 = 0;
    if (this.#header[8] !== replyCommand || this.length < 0) this.#fail("answered nonsense");
    this.#missing = this.length;
    return count;
  }

  #takeBody(chunk: Uint8Array, at: number): number {
    const count = Math.min(this.#missing, chunk.length - at);
    const filled = this.length - this.#missing;
    if (filled < keptReplyBytes) {
      const end = Math.min(at + count, at + keptReplyBytes - filled);
      this.kept.set(chunk.subarray(at, end), filled);
    }
    if (this.checksums) this.crc32 = crc32(chunk.subarray(at, at + count), this.crc32);
    this.#missing -= count;
    return count;
  }

  #deliver(): void {
    this.#asked = false;
    this.#headerFilled = 0;
    if (!this.#broken) this.#owner.onReply();
  }

  #fail(words: string): void {
    this.#break(words);
    this.#connection.destroy();
  }

  #break(words: string): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#connection.destroy();
    this.#owner.onBroken(words);
  }
}
