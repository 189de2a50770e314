import { expect, test } from "vitest";
import {
  binlogPath,
  findBinlogIndex,
  listBinlogs,
  readSmallFile,
  replaceFile,
  writeBinlogIndex,
} from "#filestore/binlog/binlog-files.ts";
import { readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

function withFiles(...names: readonly string[]): MemoryFiles {
  const files = new MemoryFiles("/sync");
  for (const name of names) files.close(files.open(`/sync/${name}`, "create"));
  return files;
}

test("the numbers of binlogs are listed once each, in order", () => {
  const files = withFiles(
    "binlog.010",
    "binlog.002.gz",
    "binlog.002",
    "binlog_index.dat",
    "a.mark",
  );
  expect(listBinlogs(files, "/sync")).toEqual([2, 10]);
  expect(listBinlogs(files, "/nowhere")).toEqual([]);
  expect(binlogPath("/sync", 7)).toBe("/sync/binlog.007");
});

test("without an index file the newest binlog is the one to write", () => {
  expect(findBinlogIndex(withFiles(), "/sync").currentWrite).toBe(0);
  expect(findBinlogIndex(withFiles("binlog.000", "binlog.004"), "/sync").currentWrite).toBe(4);
});

test("an index file that is written is found again after a power cut", () => {
  const files = withFiles();
  writeBinlogIndex(files, "/sync", { currentWrite: 5, currentCompress: 3 });
  files.powerCut();
  expect(findBinlogIndex(files, "/sync")).toEqual({ currentWrite: 5, currentCompress: 3 });
});

test("a small file is replaced as a whole, and read up to a limit", () => {
  const files = new MemoryFiles("/own");
  replaceFile(files, "/own/state", { temporary: "/own/state.new", text: "one" });
  replaceFile(files, "/own/state", { temporary: "/own/state.new", text: "another" });
  expect(files.list("/own")).toEqual(["state"]);
  expect(readText(files, "/own/state")).toBe("another");
  expect(readSmallFile(files, "/own/state", 3)).toBe("ano");
  expect(readSmallFile(files, "/own/none", 3)).toBeUndefined();
  expect(readSmallFile(files, "/own", 3)).toBeUndefined();
  expect(files.openFiles).toBe(0);
});
