/** A trunk file's used parts in a file with holes, which takes its place. */
import { expect, test } from "vitest";
import { copyUsed, type UsedCopy } from "#filestore/trunk/sparse-copy.ts";
import { readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const file = { id: 1, high: 0, low: 0, sizeBytes: 5_000_000 };
const free = [
  { offset: 0, size: 1_000_000 },
  { offset: 1_500_000, size: 1_000_000 },
];

function setUp() {
  const files = new MemoryFiles("/t", "/t/tmp");
  writeFile(files, "/t/f", Buffer.alloc(file.sizeBytes, "x"));
  const copy: UsedCopy = { fileId: 1, from: "/t/f", to: "/t/tmp/copy", cleared: [] };
  return { files, copy };
}

test("what is used is where it was, holes are holes, and what was deleted meanwhile is gone", () => {
  const { files, copy } = setUp();
  const steps = copyUsed(files, copy, { file, free });
  let count = 0;
  for (; steps.next().done !== true; count += 1) {
    if (count === 2) copy.cleared.push({ offset: 1_000_000, size: 100 });
  }
  expect(count).toBeGreaterThanOrEqual(4);
  expect(readText(files, "/t/f")).toBe(
    "\0".repeat(1_000_100) + "x".repeat(499_900) + "\0".repeat(1_000_000) + "x".repeat(2_500_000),
  );
  expect(files.stat("/t/f", false)?.allocatedBytes).toBeLessThan(3_020_000);
  expect(files.stat("/t/tmp/copy", false)).toBeUndefined();
  expect(files.openFiles).toBe(0);
  files.flushDirectory("/t");
  files.powerCut();
  expect(readText(files, "/t/f").length).toBe(file.sizeBytes);
});

test("whatever call fails, one whole file is there, and nothing is left over", () => {
  const probe = setUp();
  const counted = new TroubledFiles(probe.files);
  counted.arm({ kind: "none" });
  for (const _ of copyUsed(counted.files, probe.copy, { file, free }));
  for (let atCall = 1; atCall <= counted.count; atCall += 1) {
    const { files, copy } = setUp();
    const troubled = new TroubledFiles(files);
    troubled.arm({ kind: "fail", atCall, code: "EIO" });
    try {
      for (const _ of copyUsed(troubled.files, copy, { file, free }));
    } catch (error) {
      expect(error).toMatchObject({ code: "EIO" });
    }
    expect(readText(files, "/t/f").slice(-100), `call ${atCall}`).toBe("x".repeat(100));
    expect(files.stat("/t/tmp/copy", false), `call ${atCall}`).toBeUndefined();
  }
});

test("one that is given up leaves the old file", () => {
  const { files, copy } = setUp();
  const steps = copyUsed(files, copy, { file, free });
  steps.next();
  steps.return();
  expect(readText(files, "/t/f")).toBe("x".repeat(file.sizeBytes));
  expect(files.stat("/t/tmp/copy", false)).toBeUndefined();
});
