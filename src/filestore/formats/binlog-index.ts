/**
 * `binlog_index.dat`: which file of a binlog is written, and below which number they are compressed (protocol §5.2). Older
 * storages kept the first number alone, in `binlog.index`. Pure.
 */
import {
  formatKeyValueLines,
  parseCount,
  parseKeyValueLines,
} from "#filestore/formats/key-value-lines.ts";

export interface BinlogIndex {
  /** Number of the file that is written. */
  readonly currentWrite: number;
  /** Files with lower numbers are compressed. */
  readonly currentCompress: number;
}

export const binlogIndexFilename = "binlog_index.dat";
export const oldBinlogIndexFilename = "binlog.index";

export function formatBinlogIndex(index: BinlogIndex): string {
  return formatKeyValueLines([
    ["current_write", index.currentWrite],
    ["current_compress", index.currentCompress],
  ]);
}

/** Reads both forms; undefined where the number to write is missing. */
export function parseBinlogIndex(text: string): BinlogIndex | undefined {
  const bare = parseCount(text.replaceAll("\0", "").trim());
  if (bare !== undefined) return { currentWrite: bare, currentCompress: 0 };
  const values = parseKeyValueLines(text);
  const currentWrite = parseCount(values.get("current_write"));
  if (currentWrite === undefined) return undefined;
  return { currentWrite, currentCompress: parseCount(values.get("current_compress")) ?? 0 };
}

const binlogFilename = /^binlog\.(\d{3,9})(\.gz)?$/;

/** `binlog.000`, and more digits where three do not do. */
export function formatBinlogFilename(index: number): string {
  return `binlog.${String(index).padStart(3, "0")}`;
}

/** The number of a binlog file, compressed or not; undefined for other files. */
export function parseBinlogFilename(name: string): number | undefined {
  const digits = binlogFilename.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
