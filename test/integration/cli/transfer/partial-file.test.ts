/** Notes of downloads that are not complete. */
import { truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { notePath, parseNote, partPath, readNote, writeNote } from "#cli/transfer/partial-file.ts";
import { TestWorld } from "../../../support/test-world.ts";

const wanted = { fileId: "group1/M00/x", fileSize: 100, offset: 0, total: 100 };
const lanes = [
  { start: 50, end: 100, done: 0 },
  { start: 0, end: 50, done: 40 },
];

async function noted(world: TestWorld): Promise<string> {
  const path = world.path("f");
  writeFileSync(partPath(path), Buffer.alloc(40));
  await writeNote(world.files, path, { ...wanted, lanes });
  return path;
}

test("a note is found again, sorted", async () => {
  const world = new TestWorld();
  const path = await noted(world);
  expect(await readNote(world.files, path, wanted)).toEqual(lanes.toReversed());
  expect([partPath(path), notePath(path)]).toEqual([
    world.path("f.part"),
    world.path("f.part.json"),
  ]);
});

test.each([
  ["another file", { fileId: "group1/M00/y" }],
  ["another size", { fileSize: 101 }],
  ["another range", { offset: 1 }],
  ["another length", { total: 99 }],
  ["another state of an appender", { modifiedAt: 5 }],
])("a note of %s is none", async (_, changes) => {
  const world = new TestWorld();
  const path = await noted(world);
  expect(await readNote(world.files, path, { ...wanted, ...changes })).toBeUndefined();
});

test("a note without its part, or with one that is too short, is none", async () => {
  const world = new TestWorld();
  const path = await noted(world);
  truncateSync(partPath(path), 39);
  expect(await readNote(world.files, path, wanted)).toBeUndefined();
  await world.files.remove(partPath(path));
  expect(await readNote(world.files, path, wanted)).toBeUndefined();
});

test.each([
  "",
  "{",
  "[]",
  '{"format":"cairn-part-2"}',
  JSON.stringify({ format: "cairn-part-1", ...wanted, lanes: [{ start: -1, end: 5, done: 0 }] }),
])("%j is no note", (text) => {
  expect(parseNote(text)).toBeUndefined();
});

test("a note whose stretches do not add up is none", async () => {
  const world = new TestWorld();
  const path = await noted(world);
  const gap = [{ start: 0, end: 50, done: 40 }];
  await writeNote(world.files, path, { ...wanted, lanes: gap });
  expect(await readNote(world.files, path, wanted)).toBeUndefined();
});
