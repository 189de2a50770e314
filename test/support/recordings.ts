/**
 * The recordings of `test/vectors/exchanges`: what clients and servers of C FastDFS said to each other, whole conversations in
 * order.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** All bytes in hexadecimal; or those in front of a content that a rule makes. */
export type RecordedFrame =
  | string
  | {
      readonly head: string;
      readonly content: { readonly size: number; readonly crc32: number };
    };

export interface RecordedExchange {
  /** The client's connection, from 1. */
  readonly connection: number;
  /** Address of who asked; only where that was a server as well. */
  readonly client?: string;
  /** `address:port`. */
  readonly server: string;
  readonly seconds: number;
  readonly request: RecordedFrame;
  /** Null where none came. */
  readonly reply: RecordedFrame | null;
}

export interface Recording {
  readonly from: string;
  readonly tracker: string;
  readonly storages: readonly string[];
  /** What stood at the end: content in hexadecimal by name, null for what was deleted. Only where changes of files were recorded. */
  readonly files?: Readonly<Record<string, string | null>>;
  readonly exchanges: readonly RecordedExchange[];
}

const directory = join(import.meta.dirname, "../vectors/exchanges");

export function readRecording(name: string): Recording {
  return JSON.parse(readFileSync(join(directory, `${name}.json`), "utf8")) as Recording;
}

export function bytesOf(frame: RecordedFrame): Buffer {
  if (typeof frame === "string") return Buffer.from(frame, "hex");
  const { size, crc32: crc } = frame.content;
  return Buffer.concat([Buffer.from(frame.head, "hex"), madeContent(size, crc)]);
}

/**
 * `size` bytes with the wanted CRC-32: a sequence that depends on the CRC alone (xorshift from it, low byte first), and four
 * bytes at the end that make it right.
 */
export function madeContent(size: number, wantedCrc32: number): Buffer {
  const content = Buffer.alloc(size);
  let state = wantedCrc32 || 1;
  for (let at = 0; at < size - 4; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    content.writeUInt32LE(state >>> 0, Math.min(at, size - 8));
  }
  const before = crc32(content.subarray(0, size - 4)) ^ 0xffffffff;
  content.writeUInt32LE((before ^ fourZerosBefore(wantedCrc32 ^ 0xffffffff)) >>> 0, size - 4);
  return content;
}

/** The state of a CRC-32 from which four zero bytes lead to `state`. */
function fourZerosBefore(state: number): number {
  let result = state >>> 0;
  for (let bit = 0; bit < 32; bit += 1) {
    const wasOdd = (result & 0x80000000) !== 0;
    result = (((wasOdd ? result ^ polynomial : result) << 1) | (wasOdd ? 1 : 0)) >>> 0;
  }
  return result;
}

const polynomial = 0xedb88320;
