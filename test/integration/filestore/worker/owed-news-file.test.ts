/** The lines of what a trunk server has still to be told, on the disk. */
import { expect, test } from "vitest";
import { OwedNewsFile } from "#filestore/worker/owed-news-file.ts";
import { readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

test("what was added or replaced is there after a power cut where changes are flushed", () => {
  const files = new MemoryFiles("/own");
  const owed = new OwedNewsFile({ files, own: "/own", flushed: true });
  owed.append(Buffer.from("one\n"));
  files.powerCut();
  expect(readText(files, owed.path)).toBe("one\n");
  owed.append(Buffer.from("two\n"));
  files.powerCut();
  expect(readText(files, owed.path)).toBe("one\ntwo\n");
  owed.replace(Buffer.from("three\n"));
  files.powerCut();
  expect(readText(files, owed.path)).toBe("three\n");
  owed.replace(Buffer.alloc(0));
  files.powerCut();
  expect(readText(files, owed.path)).toBe("");
  expect(files.openFiles).toBe(0);
});

test("without flushes a power cut may take what was added", () => {
  const files = new MemoryFiles("/own");
  const owed = new OwedNewsFile({ files, own: "/own", flushed: false });
  owed.append(Buffer.from("one\n"));
  expect(readText(files, owed.path)).toBe("one\n");
  files.powerCut();
  expect(files.stat(owed.path, true)).toBeUndefined();
});
