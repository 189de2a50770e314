/** The records of a page of the binlog with the places where they end. Pure. */
import { type BinlogEntry, decodeEntry } from "#filestore/binlog/entry.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import type { BinlogPage } from "#filestore/replica-store.ts";

export interface PageLine {
  /** Without its end. */
  readonly line: string;
  /** Undefined where the line is no record. */
  readonly entry: BinlogEntry | undefined;
  /** Where the next one begins. */
  readonly end: BinlogPosition;
}

/** `from` is where the page was asked for. */
export function linesOfPage(from: BinlogPosition, page: BinlogPage): readonly PageLine[] {
  const { lines, next } = page;
  let { index, offset } = from;
  // A page is of one file: that where it begins, or, where it ends within another one, that from its start.
  if (next.index !== index && next.offset > 0) {
    ({ index } = next);
    offset = next.offset - lines.length;
  }
  const text = Buffer.from(lines.buffer, lines.byteOffset, lines.length).toString("latin1");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      offset += line.length + 1;
      return { line, entry: decodeEntry(line), end: { index, offset } };
    });
}
