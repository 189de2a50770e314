/**
 * The record of what a disk was told: each write with its bytes, each flush, in the order of their answers. A file that only grows;
 * its size at some moment is a position, which any process may read.
 */
import * as fs from "node:fs";

export const logHeaderBytes = 16;

export type LogEntry =
  | {
      readonly kind: "write";
      readonly offset: number;
      readonly length: number;
      /** Where its bytes lie in the log. */
      readonly bytesAt: number;
      readonly end: number;
    }
  /** Everything before `covers` is on stable storage, for whoever was answered after `end`. */
  | { readonly kind: "flush"; readonly covers: number; readonly end: number };

/** The writing end, in the server. */
export class WriteLog {
  readonly #descriptor: number;
  #position = 0;

  constructor(path: string) {
    this.#descriptor = fs.openSync(path, "a");
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#append(offset, bytes);
  }

  get position(): number {
    return this.#position;
  }

  /** A flush that is answered now covers what was written before it came, at `covers`. */
  flush(covers: number): void {
    this.#append(-1 - covers, new Uint8Array(0));
  }

  /** Header and bytes in one call: a position is never within an entry. */
  #append(offset: number, bytes: Uint8Array): void {
    const header = Buffer.alloc(logHeaderBytes);
    header.writeBigInt64LE(BigInt(offset), 0);
    header.writeUInt32LE(bytes.length, 8);
    this.#position += fs.writevSync(this.#descriptor, [header, bytes]);
  }
}

/** All entries of a log; `end` is the position after each. */
export function readLog(path: string): LogEntry[] {
  const descriptor = fs.openSync(path, "r");
  try {
    const size = fs.fstatSync(descriptor).size;
    const header = Buffer.alloc(logHeaderBytes);
    const entries: LogEntry[] = [];
    for (let at = 0; at + logHeaderBytes <= size; ) {
      fs.readSync(descriptor, header, 0, logHeaderBytes, at);
      const offset = Number(header.readBigInt64LE(0));
      const length = header.readUInt32LE(8);
      const bytesAt = at + logHeaderBytes;
      const end = bytesAt + length;
      entries.push(
        offset < 0
          ? { kind: "flush", covers: -1 - offset, end }
          : { kind: "write", offset, length, bytesAt, end },
      );
      at = end;
    }
    return entries;
  } finally {
    fs.closeSync(descriptor);
  }
}
