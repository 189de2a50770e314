import { expect, test } from "vitest";
import {
  isReadable,
  isReadWriteMode,
  isStorageStatus,
  isWritable,
  parseReadWriteMode,
  readWriteMode,
  readWriteModeName,
  storageStatus,
  storageStatusCaption,
} from "#model/storage-status.ts";

test("the numbers of FastDFS have its words", () => {
  expect(storageStatusCaption(storageStatus.waitSync)).toBe("WAIT_SYNC");
  expect(storageStatusCaption(storageStatus.active)).toBe("ACTIVE");
  expect([0, 7, 9, 99].every(isStorageStatus)).toBe(true);
  expect([-1, 8, 10, 100].some(isStorageStatus)).toBe(false);
});

test("modes are two permissions", () => {
  const modes = [readWriteMode.none, readWriteMode.write, readWriteMode.read, readWriteMode.both];
  expect(modes.map(isReadable)).toEqual([false, false, true, true]);
  expect(modes.map(isWritable)).toEqual([false, true, false, true]);
  expect(modes.map(readWriteModeName)).toEqual(["none", "write", "read", "both"]);
  expect([1, 3, 5, 7].some(isReadWriteMode)).toBe(false);
});

test("the words of storage ids files are understood in any case", () => {
  const words = ["none", "READ", "readonly", "Write", "writeonly", "both", "all", "rw"];
  expect(words.map(parseReadWriteMode)).toEqual([0, 4, 4, 2, 2, 6, 6, undefined]);
});
