import { expect, test } from "vitest";
import {
  formatBinlogFilename,
  formatBinlogIndex,
  parseBinlogFilename,
  parseBinlogIndex,
} from "#filestore/formats/binlog-index.ts";

test("the index file is C's", () => {
  const text = "current_write=3\ncurrent_compress=2\n";
  expect(parseBinlogIndex(text)).toEqual({ currentWrite: 3, currentCompress: 2 });
  expect(formatBinlogIndex({ currentWrite: 3, currentCompress: 2 })).toBe(text);
});

test("the bare number of old storages is read, with what C left behind it", () => {
  expect(parseBinlogIndex("12")).toEqual({ currentWrite: 12, currentCompress: 0 });
  expect(parseBinlogIndex("7\n\0\0")).toEqual({ currentWrite: 7, currentCompress: 0 });
});

test("an index without the number to write is none", () => {
  expect(parseBinlogIndex("")).toBeUndefined();
  expect(parseBinlogIndex("current_compress=2\n")).toBeUndefined();
  expect(parseBinlogIndex("current_write=-1\n")).toBeUndefined();
});

test("binlog files have three digits or more, and may be compressed", () => {
  expect([0, 42, 999, 1000].map(formatBinlogFilename)).toEqual([
    "binlog.000",
    "binlog.042",
    "binlog.999",
    "binlog.1000",
  ]);
  expect(["binlog.000", "binlog.012.gz", "binlog.1000"].map(parseBinlogFilename)).toEqual([
    0, 12, 1000,
  ]);
  for (const name of ["binlog", "binlog.1", "binlog.abc", "binlog_index.dat", "binlog.000.tmp"]) {
    expect(parseBinlogFilename(name)).toBeUndefined();
  }
});
