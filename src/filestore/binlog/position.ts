/** A place in a binlog: which of its files, and how many bytes into it. A reader's cursor is one, and so is a record's begin. */
export interface BinlogPosition {
  /** Number of the file, from 0. */
  readonly index: number;
  /** Bytes from its start, uncompressed. */
  readonly offset: number;
}

export const binlogStart: BinlogPosition = { index: 0, offset: 0 };

/** Negative where `left` comes first, 0 where both are the same place. */
export function comparePositions(left: BinlogPosition, right: BinlogPosition): number {
  return left.index === right.index ? left.offset - right.offset : left.index - right.index;
}
