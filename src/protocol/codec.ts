/**
 * Reading and writing of wire bytes: a reader and a writer over one buffer, and the `Codec` that turns a value into bytes
 * and back. All integers are big-endian two's complement. Pure; decoders throw `ProtocolError` only.
 */
import { ProtocolError } from "#protocol/protocol-error.ts";

/** What differs between peers. */
export interface WireContext {
  /** Width of address fields in replies to clients: 16 for IPv4 texts, 46 where IPv6 is in use (protocol §1.5). */
  readonly addressWidth: 16 | 46;
  /** The status byte of the request being decoded; only a few commands give it a meaning (protocol §1.1). */
  readonly requestStatus?: number;
  /** Release whose layouts the peer speaks, as `releaseNumber` gives it; absent means 6.16.1 or later. */
  readonly release?: number;
}

/** A release as one comparable number: `releaseNumber(6, 13, 1)` is 61301. */
export function releaseNumber(major: number, minor: number, patch: number): number {
  return major * 10000 + minor * 100 + patch;
}

/** What nearly every client expects. */
export const narrowAddresses: WireContext = { addressWidth: 16 };
export const wideAddresses: WireContext = { addressWidth: 46 };

export interface Codec<T> {
  encode(value: T, writer: WireWriter, context: WireContext): void;
  decode(reader: WireReader, context: WireContext): T;
}

export type ValueOf<C> = C extends Codec<infer T> ? T : never;

const twoTo32 = 4294967296;
const initialCapacity = 256;

/** Grows as needed; `bytes()` is a view that holds until the next write. */
export class WireWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity: number = initialCapacity) {
    this.#buffer = Buffer.allocUnsafe(Math.max(capacity, 16));
  }

  get length(): number {
    return this.#length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  u8(value: number): void {
    const at = this.#take(1);
    this.#buffer[at] = value & 0xff;
  }

  i32(value: number): void {
    const at = this.#take(4);
    this.#buffer.writeInt32BE(value | 0, at);
  }

  /** A signed 64-bit integer from a number; exact up to 2^53, and for larger powers of two. */
  i64(value: number): void {
    const at = this.#take(8);
    const high = Math.floor(value / twoTo32);
    this.#buffer.writeInt32BE(high | 0, at);
    this.#buffer.writeUInt32BE((value - high * twoTo32) >>> 0, at + 4);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#buffer.set(bytes, at);
  }

  /** UTF-8 text without terminator. */
  text(value: string): void {
    const size = Buffer.byteLength(value);
    const at = this.#take(size);
    this.#buffer.write(value, at, size, "utf8");
  }

  /** Text in a field of `width` bytes, padded with NUL; the caller has checked that it fits. */
  paddedText(value: string, width: number): void {
    const at = this.#take(width);
    const written = this.#buffer.write(value, at, width, "utf8");
    this.#buffer.fill(0, at + written, at + width);
  }

  zeros(count: number): void {
    const at = this.#take(count);
    this.#buffer.fill(0, at, at + count);
  }

  /** Overwrites an i64 written before, for lengths that are known only afterwards. */
  patchI64(at: number, value: number): void {
    const high = Math.floor(value / twoTo32);
    this.#buffer.writeInt32BE(high | 0, at);
    this.#buffer.writeUInt32BE((value - high * twoTo32) >>> 0, at + 4);
  }

  #take(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(end, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
    }
    this.#length = end;
    return at;
  }
}

/** A cursor over received bytes. Does not own them: texts are copied out, `rawView` is only valid as long as they are. */
export class WireReader {
  readonly #buffer: Buffer;
  #position: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.#buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = start;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  /** Looks at the i64 that starts `offset` bytes ahead without moving; the caller has checked that it is there. */
  peekI64(offset: number): number {
    const at = this.#position + offset;
    return this.#buffer.readInt32BE(at) * twoTo32 + this.#buffer.readUInt32BE(at + 4);
  }

  /** A view of everything that is left, without moving. */
  peekBytes(): Buffer {
    return this.#buffer.subarray(this.#position, this.#end);
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  u8(): number {
    const at = this.#take(1);
    return this.#buffer[at] as number;
  }

  i32(): number {
    return this.#buffer.readInt32BE(this.#take(4));
  }

  /** A signed 64-bit integer; beyond 2^53 it is rounded, which only the stream marker of command 26 uses. */
  i64(): number {
    const at = this.#take(8);
    return this.#buffer.readInt32BE(at) * twoTo32 + this.#buffer.readUInt32BE(at + 4);
  }

  /** A view, not a copy. */
  rawView(count: number): Buffer {
    const at = this.#take(count);
    return this.#buffer.subarray(at, at + count);
  }

  text(count: number): string {
    const at = this.#take(count);
    return this.#buffer.toString("utf8", at, at + count);
  }

  /** A fixed field: ends at its first NUL, what follows is garbage (protocol §1.4). */
  paddedText(width: number): string {
    const at = this.#take(width);
    let end = at;
    while (end < at + width && this.#buffer[end] !== 0) end += 1;
    return this.#buffer.toString("utf8", at, end);
  }

  /** Everything must have been consumed. */
  expectEnd(): void {
    if (this.remaining > 0) {
      throw new ProtocolError("invalid", `${this.remaining} bytes too many`);
    }
  }

  #take(count: number): number {
    const at = this.#position;
    if (count > this.#end - at) {
      throw new ProtocolError("short", `${count - (this.#end - at)} bytes are missing`);
    }
    this.#position = at + count;
    return at;
  }
}
