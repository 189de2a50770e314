import { expect, test } from "vitest";
import {
  checkSubdirCount,
  DirectoryTree,
  directoryNumbers,
  makeIfMissing,
} from "#filestore/worker/directory-tree.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const layout = new FileLayout("/disk", 0);

function disk(): MemoryFiles {
  return new MemoryFiles("/disk", layout.data);
}

test("a directory is made once, with the one above it, and says what is to be flushed for it", () => {
  const files = disk();
  const troubled = new TroubledFiles(files);
  const tree = new DirectoryTree(troubled.files, layout, true);
  tree.ensure({ high: 10, low: 255 });
  tree.ensure({ high: 10, low: 0 });
  const calls = troubled.count;
  tree.ensure({ high: 10, low: 255 });
  expect(troubled.count).toBe(calls);
  const targets = tree.takeUnflushed();
  expect(targets.map(({ path }) => path)).toEqual(["/disk/data", "/disk/data/0A"]);
  expect(tree.takeUnflushed()).toEqual([]);
  tree.leaveUnflushed(targets);
  for (const { path } of tree.takeUnflushed()) files.flushDirectory(path);
  files.powerCut();
  expect(files.list("/disk/data/0A")?.sort()).toEqual(["00", "FF"]);
});

test("one that somebody removed is made again when it is missed", () => {
  const files = disk();
  const tree = new DirectoryTree(files, layout, false);
  tree.ensure({ high: 0, low: 1 });
  files.removeDirectory("/disk/data/00/01");
  tree.forget({ high: 0, low: 1 });
  tree.ensure({ high: 0, low: 1 });
  expect(files.list("/disk/data/00")).toEqual(["01"]);
});

test("the whole tree is made around what is there", () => {
  const files = disk();
  const tree = new DirectoryTree(files, layout, true);
  tree.ensure({ high: 1, low: 1 });
  tree.makeAll(3);
  files.powerCut();
  expect(directoryNumbers(files, layout.data)).toEqual([0, 1, 2]);
  for (const high of ["00", "01", "02"]) {
    expect(directoryNumbers(files, `${layout.data}/${high}`)).toEqual([0, 1, 2]);
  }
  makeIfMissing(files, "/disk/data/00");
  expect(() => makeIfMissing(files, "/nowhere/00")).toThrow("ENOENT");
});

test("numbers of directories are two upper-case digits", () => {
  const files = disk();
  for (const name of ["0B", "02", "ff", "sync", ".cairn", "000"]) {
    files.makeDirectory(`${layout.data}/${name}`);
  }
  expect(directoryNumbers(files, layout.data)).toEqual([2, 11]);
  expect(directoryNumbers(files, "/nowhere")).toEqual([]);
});

/** The words of the refusal, or undefined. */
function refusal(files: MemoryFiles, configured: number, noted?: number): string | undefined {
  try {
    checkSubdirCount(files, layout, { configured, noted });
    return undefined;
  } catch (error) {
    return String(error);
  }
}

test("the number that was noted is the one that counts", () => {
  const files = disk();
  new DirectoryTree(files, layout, false).makeAll(4);
  expect(refusal(files, 4, 4)).toBeUndefined();
  expect(refusal(files, 16, 16)).toBeUndefined();
  expect(refusal(files, 4, 16)).toContain("has 16 directories a level, the configuration says 4");
});

test("without a note a whole tree tells its number, and one that is too large too", () => {
  const files = disk();
  expect(refusal(files, 256)).toBeUndefined();
  new DirectoryTree(files, layout, false).makeAll(4);
  expect(refusal(files, 4)).toBeUndefined();
  expect(refusal(files, 256)).toContain("has 4 directories a level, the configuration says 256");
  expect(refusal(files, 3)).toContain("has 4 directories a level, the configuration says 3");
  // A tree that is made as files come may have any part of it.
  files.removeDirectory("/disk/data/03/02");
  expect(refusal(files, 256)).toBeUndefined();
});
