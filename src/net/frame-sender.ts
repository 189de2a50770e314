/**
 * Sends a payload behind its header, one piece on the way at a time: the source may read the next one meanwhile, and a peer
 * that takes nothing holds no more than that. Where the source left room in front of the first piece, the header goes there
 * and both leave in one write; some clients read a reply only once (protocol §1.1). Without promises of its own, because every
 * download comes through: a piece that is there, and that the kernel takes at once, is sent before `start` returns. Main thread.
 */
import type { ByteSource, Piece } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";
import type { Connection } from "#platform/network.ts";
import { endlessLength, headerSize, writeHeader } from "#protocol/header.ts";

export interface SendOptions {
  readonly headerCommand: number;
  /** Called whenever the peer has taken something. */
  readonly progress: () => void;
  /** All was handed to the kernel, and the source is closed. */
  readonly sent: () => void;
  /** The source failed, or the connection is gone; the source is the caller's to close. */
  readonly failed: (error: unknown) => void;
}

export class PayloadSender {
  readonly #connection: Connection;
  readonly #source: ByteSource;
  readonly #options: SendOptions;
  #given = 0;
  #begun = false;
  /** Of a header that was sent in part. */
  #headerSent = 0;
  #inFlight = 0;
  /** The next piece is asked for when the peer has taken what is on the way. */
  #waits = false;

  constructor(connection: Connection, source: ByteSource, options: SendOptions) {
    this.#connection = connection;
    this.#source = source;
    this.#options = options;
  }

  /** To be called once; ends with `sent` or `failed`, possibly before it returns. */
  start(): void {
    const sent = this.#source.sent ?? 0;
    if (sent >= headerSize) {
      this.#begun = true;
      this.#given = sent - headerSize;
      if (this.#given === this.#source.length) {
        this.#end();
        return;
      }
    } else {
      this.#headerSent = sent;
    }
    this.#goOn();
  }

  #goOn(): void {
    let more = true;
    while (more) {
      let next: ReturnType<ByteSource["next"]>;
      try {
        next = this.#source.next();
      } catch (error) {
        this.#options.failed(error);
        return;
      }
      if (next instanceof Promise) {
        next.then(
          (piece) => {
            if (this.#send(piece)) this.#goOn();
          },
          (error: unknown) => this.#options.failed(error),
        );
        return;
      }
      more = this.#send(next);
    }
  }

  /** True when the next piece is to be asked for. */
  #send(piece: Piece | undefined): boolean {
    if (piece === undefined) {
      if (!this.#begun) this.#connection.write(this.#header());
      this.#end();
      return false;
    }
    this.#given += piece.bytes.length + (piece.sent ?? 0);
    if (!this.#begun) this.#writeFirst(piece);
    else if (piece.bytes.length > 0) this.#write(piece.bytes, piece);
    else this.#wentDirectly(piece);
    if (this.#inFlight > 0 && this.#connection.unsentBytes > 0 && !this.#connection.closed) {
      this.#waits = true;
      return false;
    }
    return this.#isMore();
  }

  #wentDirectly(piece: Piece): void {
    piece.release();
    this.#options.progress();
  }

  #isMore(): boolean {
    if (this.#connection.closed) {
      this.#options.failed(netError("flow-broken", "the peer left while a reply was sent"));
      return false;
    }
    if (this.#given < this.#source.length) return true;
    this.#end();
    return false;
  }

  #end(): void {
    const { length } = this.#source;
    if (this.#given !== length && length !== endlessLength) {
      const problem = `the source gave ${this.#given} of ${length} bytes`;
      this.#options.failed(netError("flow-broken", problem));
      return;
    }
    this.#source.close();
    this.#options.sent();
  }

  #write(bytes: Uint8Array, piece: Piece): void {
    this.#inFlight += 1;
    this.#connection.write(bytes, () => {
      this.#inFlight -= 1;
      piece.release();
      this.#options.progress();
      if (!this.#waits) return;
      this.#waits = false;
      if (this.#isMore()) this.#goOn();
    });
  }

  #writeFirst(piece: Piece): void {
    this.#begun = true;
    if (piece.room >= headerSize) {
      const { buffer, byteOffset, byteLength } = piece.bytes;
      const framed = Buffer.from(buffer, byteOffset - headerSize, byteLength + headerSize);
      this.#writeHeaderTo(framed);
      this.#write(framed.subarray(this.#headerSent), piece);
      return;
    }
    this.#connection.cork();
    this.#connection.write(this.#header());
    this.#write(piece.bytes, piece);
    this.#connection.uncork();
  }

  #header(): Uint8Array {
    const bytes = Buffer.allocUnsafe(headerSize);
    this.#writeHeaderTo(bytes);
    return bytes.subarray(this.#headerSent);
  }

  #writeHeaderTo(bytes: Uint8Array): void {
    const command = this.#options.headerCommand;
    writeHeader(bytes, 0, { length: this.#source.length, command, status: 0 });
  }
}
