/** What is done to trunk files in the background, and what is found again when a note of their space is lost or wrong. */
import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import { decodeBase } from "#model/file-id.ts";
import { commit, put, readBack, readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked, walkedTrunkFiles } from "../../../support/packed-fixture.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

const directory = "/disk";
const own = `${directory}/data/.cairn`;

const slotOf = (name: string) =>
  decodeBase(name.slice(10))?.trunk ?? { fileId: 0, offset: 0, size: 0 };
const filled = (number: number, size: number): Buffer => Buffer.alloc(size, 97 + (number % 26));

/** Eight trunk files; the first four rest. */
function setUp(size = 3000) {
  const files = new MemoryFiles(directory);
  const logs: LogRecord[] = [];
  const packed = openPacking({ files, directory, logs });
  const names: string[] = [];
  for (let number = 0; names.length === 0 || slotOf(names.at(-1) ?? "").fileId < 8; number += 1) {
    names.push(putPacked(packed.engine, filled(number, size)));
  }
  packed.settle();
  const inFile = (id: number) => names.filter((name) => slotOf(name).fileId === id);
  const content = (name: string) => filled(names.indexOf(name), size);
  return { files, logs, names, inFile, content, ...packed };
}

function reopen(files: MemoryFiles, seed: number, logs: LogRecord[] = []) {
  return openPacking({ files, directory, seed, firstNumber: seed * 1000, logs });
}

/** Slots that come from trunk files that are there already. */
function reused(engine: ReturnType<typeof reopen>["engine"], below: number, size = 3000): number {
  let count = 0;
  for (let number = 0; number < 30; number += 1) {
    if (slotOf(putPacked(engine, filled(number, size))).fileId < below) count += 1;
  }
  return count;
}

test("a file that is mostly holes gives their room back, and keeps every id", () => {
  const { files, engine, settle, inFile, content, logs } = setUp(800);
  const mine = inFile(1);
  const [kept = "", ...others] = mine;
  const path = `${directory}/data/00/00/000001`;
  const before = files.stat(path, false)?.allocatedBytes ?? 0;
  for (const name of others) commit(engine, engine.prepareRemove(name));
  // Zeros that were written take room as others do.
  Object.defineProperty(files, "stat", {
    value: (asked: string, follow: boolean) => {
      const stat = MemoryFiles.prototype.stat.call(files, asked, follow);
      const isOld = asked === path && logs.every(({ event }) => event !== "trunk-file-compacted");
      return stat === undefined || !isOld ? stat : { ...stat, allocatedBytes: before };
    },
  });
  settle();
  expect(logs.map(({ event }) => event)).toContain("trunk-file-compacted");
  expect(readBack(engine, kept).equals(content(kept))).toBe(true);
  expect(files.stat(path, false)?.sizeBytes).toBe(16 * 1024);
  for (const name of others) expect(() => engine.openRead(name)).toThrow("no file");
  commit(engine, engine.prepareRemove(kept));
  settle();
  expect(files.stat(path, false)).toBeUndefined();
});

test("what is deleted while its file is made sparse is deleted in both, and its space is free", () => {
  const { files, engine, clock, inFile } = setUp(800);
  const [first = "", second = "", ...others] = inFile(1);
  for (const name of others) commit(engine, engine.prepareRemove(name));
  Object.defineProperty(files, "stat", {
    value: (asked: string, follow: boolean) => {
      const stat = MemoryFiles.prototype.stat.call(files, asked, follow);
      return stat === undefined ? stat : { ...stat, allocatedBytes: 16 * 1024 };
    },
  });
  const copy = `${own}/tmp/trunk.part`;
  let deleted = false;
  for (let turn = 0; turn < 1000; turn += 1) {
    const afterMs = engine.background.turn(turn === 0);
    if (!deleted && files.list(`${own}/tmp`)?.includes("trunk.part")) {
      commit(engine, engine.prepareRemove(first));
      deleted = true;
    }
    if (deleted && !files.list(`${own}/tmp`)?.includes("trunk.part")) break;
    clock.advance(afterMs ?? 5);
  }
  expect(deleted).toBe(true);
  expect(files.list(`${own}/tmp`)).toEqual([]);
  expect(copy).not.toBe("");
  expect(() => engine.openRead(first)).toThrow("no file");
  expect(readBack(engine, second).length).toBe(800);
  const walked = walkedTrunkFiles(files, directory)["00/00/000001"];
  expect(walked).toEqual({ slots: 1, free: "0+824 1648+14736", damagedBytes: 0 });
});

test("after a clean end the log tells what is free; resting files are used again without a look", () => {
  const { files, engine, inFile } = setUp();
  for (const name of inFile(2).slice(0, 3)) commit(engine, engine.prepareRemove(name));
  engine.close();
  const next = reopen(files, 2);
  next.settle();
  expect(reused(next.engine, 9)).toBeGreaterThanOrEqual(3);
});

test("without its log, or with a damaged one, the free space is found by looking into the files", () => {
  for (const damage of ["lost", "damaged"]) {
    const { files, engine, inFile, names, content } = setUp();
    const gone = inFile(2).slice(0, 3);
    for (const name of gone) commit(engine, engine.prepareRemove(name));
    engine.close();
    if (damage === "lost") files.remove(`${own}/trunk.log`);
    else
      writeFile(files, `${own}/trunk.log`, "1 A 0 0 0 2 0 16384\nrubbish\n1 A 0 0 0 1 0 16384\n");
    const logs: LogRecord[] = [];
    const next = reopen(files, 2, logs);
    next.settle();
    expect(logs.map(({ event }) => event)).toContain("trunk-log-lost");
    expect(reused(next.engine, 9)).toBeGreaterThanOrEqual(3);
    for (const name of names.filter((each) => !gone.includes(each))) {
      expect(readBack(next.engine, name).equals(content(name))).toBe(true);
    }
  }
});

test("a log that lies gives nothing away: what it calls free is looked at first", () => {
  const { files, engine, names, content } = setUp();
  // As after a crash: the end was not clean.
  engine.commit([]);
  const everything = [1, 2, 3, 4].map((id) => `1 A 0 0 0 ${id} 0 16384\n`).join("");
  writeFile(files, `${own}/trunk.log`, everything);
  const next = reopen(files, 2);
  next.settle();
  reused(next.engine, 9);
  next.settle();
  reused(next.engine, 9);
  for (const name of names) expect(readBack(next.engine, name).equals(content(name))).toBe(true);
});

test("a trunk file with a damaged region goes on serving its good slots, and the region is not used", () => {
  const { files, engine, inFile, content, logs } = setUp();
  const [torn = "", lying = "", good = "", last = ""] = inFile(1);
  const descriptor = files.open(`${directory}/data/00/00/000001`, "read-write");
  files.write(descriptor, Buffer.alloc(9), slotOf(torn).offset);
  files.write(descriptor, Buffer.from([0, 0, 0x10, 0]), slotOf(lying).offset + 1);
  files.truncate(descriptor, slotOf(last).offset + 100);
  files.close(descriptor);
  const steps = engine.rebuildTrunkSpace();
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  expect(step.value.damagedBytes).toBeGreaterThan(3000);
  const damaged = logs.find(({ event }) => event === "trunk-file-damaged");
  expect(damaged?.data).toMatchObject({ path: `${directory}/data/00/00/000001` });
  expect(readBack(engine, good).equals(content(good))).toBe(true);
  for (const name of [torn, lying]) expect(() => engine.openRead(name)).toThrow("no file");
  expect(engine.openRead(last).read(Buffer.alloc(3000), 0)).toBeLessThan(3000);
  const more = Array.from({ length: 12 }, (_, number) => putPacked(engine, filled(number, 3000)));
  expect(more.every((name) => slotOf(name).fileId !== 1)).toBe(true);
  expect(readBack(engine, good).equals(content(good))).toBe(true);
});

test("a trunk file that vanished is reported, and uploads go on", () => {
  const { files, engine, inFile } = setUp();
  for (const name of inFile(2)) commit(engine, engine.prepareRemove(name));
  engine.close();
  files.remove(`${directory}/data/00/00/000002`);
  files.remove(`${directory}/data/00/00/000008`);
  const logs: LogRecord[] = [];
  const next = reopen(files, 2, logs);
  next.settle();
  const name = put(next.engine, { kind: "normal", extension: "txt" }, "goes on");
  expect(readBack(next.engine, name).toString()).toBe("goes on");
  expect(reused(next.engine, 9)).toBeGreaterThanOrEqual(0);
  next.engine.close();
  expect(readText(files, `${own}/trunk-files`)).not.toContain("\n8 ");
});

test("without the list of our own trunk files, those that the log knows room in are ours", () => {
  const { files, engine, inFile, names, content } = setUp();
  const gone = inFile(2).slice(0, 3);
  for (const name of gone) commit(engine, engine.prepareRemove(name));
  engine.close();
  writeFile(files, `${own}/trunk-files`, "7 0 0 16");
  // Of somebody else: with room, and not in the log.
  writeFile(files, `${directory}/data/00/00/000099`, Buffer.alloc(16 * 1024));
  const next = reopen(files, 2);
  next.settle();
  expect(reused(next.engine, 9)).toBeGreaterThanOrEqual(3);
  const list = readText(files, `${own}/trunk-files`);
  expect(list).toContain("\n2 0 0 16384\n");
  expect(list).not.toContain("99 0 0");
  for (const name of names.filter((each) => !gone.includes(each))) {
    expect(readBack(next.engine, name).equals(content(name))).toBe(true);
  }
});
