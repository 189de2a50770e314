import { expect, test } from "vitest";
import { clearRegion, writeZeros } from "#filestore/trunk/trunk-zeros.ts";
import { readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

test("a region is zeros afterwards, and nothing beside it", () => {
  const files = new MemoryFiles("/t");
  writeFile(files, "/t/f", Buffer.alloc(2_500_000, "x"));
  const descriptor = files.open("/t/f", "read-write");
  writeZeros(files, descriptor, { offset: 100_000, size: 2_200_000 });
  expect(readText(files, "/t/f")).toBe(
    "x".repeat(100_000) + "\0".repeat(2_200_000) + "x".repeat(200_000),
  );
});

test("clearing writes only where there is something, and says whether there was", () => {
  const memory = new MemoryFiles("/t");
  const content = Buffer.alloc(1_500_000);
  content.write("here", 900_000);
  writeFile(memory, "/t/f", content);
  const { files, trace } = new TroubledFiles(memory);
  const descriptor = files.open("/t/f", "read-write");
  expect(clearRegion(files, descriptor, { offset: 0, size: 800_000 })).toBe(false);
  expect(trace).not.toContain("write");
  expect(clearRegion(files, descriptor, { offset: 0, size: 1_500_000 })).toBe(true);
  expect(trace.filter((call) => call === "write").length).toBe(1);
  expect(clearRegion(files, descriptor, { offset: 0, size: 9_000_000 })).toBe(false);
});
