/** Small files share trunk files: what is packed, where it lies, and that space of deleted ones is used again. */
import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import { decodeBase } from "#model/file-id.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  readText,
  stage,
  viewOf,
} from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import {
  openPacking,
  putPacked,
  runBackground,
  smallPacking,
  walkedTrunkFiles,
} from "../../../support/packed-fixture.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";
const normal = { kind: "normal", extension: "txt" } as const;

function slotOf(name: string) {
  const slot = decodeBase(name.slice(10))?.trunk;
  if (slot === undefined) throw new Error(`${name} is not packed`);
  return slot;
}

function setUp(options: Partial<Parameters<typeof openPacking>[0]> = {}) {
  const files = new MemoryFiles(directory);
  const logs: LogRecord[] = [];
  return { files, logs, ...openPacking({ files, directory, logs, ...options }) };
}

test("small files lie side by side in a trunk file, as C reads it, and are read by name", () => {
  const { files, engine } = setUp();
  const first = putPacked(engine, "hello trunk world");
  const second = putPacked(engine, "x".repeat(700));
  const third = putPacked(engine, "");
  expect([slotOf(first), slotOf(second), slotOf(third)]).toEqual([
    { fileId: 1, offset: 0, size: 64 },
    { fileId: 1, offset: 64, size: 724 },
    { fileId: 1, offset: 788, size: 64 },
  ]);
  expect(readBack(engine, first).toString()).toBe("hello trunk world");
  expect(readBack(engine, second).toString()).toBe("x".repeat(700));
  expect(engine.facts(third).sizeBytes).toBe(0);
  const bytes = Buffer.from(readText(files, `${directory}/data/00/00/000001`), "latin1");
  expect(bytes.length).toBe(16 * 1024);
  // Example 11 of the protocol: F, slot size, size, CRC-32, time, digits and extension, content.
  expect(bytes.subarray(64, 73).toString("hex")).toBe("46000002d4000002bc");
  expect(bytes.toString("latin1", 64 + 17, 64 + 24)).toBe(second.slice(-7));
  expect(bytes.readUInt32BE(64 + 13)).toBe(decodeBase(second.slice(10))?.timestamp);
  expect(viewOf(files, directory).staged).toEqual([]);
});

test("what comes in pieces, is large, or is a batch is packed as well", () => {
  const { engine } = setUp({ packing: { trunkFileBytes: 2 ** 21, slotMaxBytes: 2 ** 20 } });
  const large = Buffer.alloc(700_000, "large ");
  const pieces = commit(engine, stage(engine, normal, { content: "in three pieces", pieces: 3 }));
  const long = commit(engine, stage(engine, normal, { content: large, pieces: 7 }));
  const atOnce = putPacked(engine, large);
  expect(slotOf(pieces).size).toBe(64);
  expect(readBack(engine, pieces).toString()).toBe("in three pieces");
  expect(readBack(engine, long).equals(large)).toBe(true);
  expect(readBack(engine, atOnce).equals(large)).toBe(true);
  const contents = ["one", "two", "three", "x".repeat(100_000), "five"];
  const changes = contents.map((content) => stage(engine, normal, { content }));
  engine.commit(changes);
  expect(changes.map((change) => readBack(engine, change.result ?? "").toString())).toEqual(
    contents,
  );
});

test("a batch is one write to the trunk file and one flush of it", () => {
  const troubled = new TroubledFiles(new MemoryFiles(directory));
  const { engine } = openPacking({ files: troubled.files, directory });
  putPacked(engine, "makes the trunk file");
  troubled.arm({ kind: "none" });
  const changes = ["a", "b", "c"].map((content) => stage(engine, normal, { content }));
  engine.commit(changes);
  // The slots, the records, and the flushes of both together; nothing is renamed, no directory flushed.
  expect(troubled.trace).toEqual(["write", "write", "flush", "flush"]);
  troubled.arm({ kind: "none" });
  expect(readBack(engine, changes[1]?.result ?? "").toString()).toBe("b");
  expect(troubled.trace).toEqual(["read"]);
});

test("what does not fit a slot, appenders, slaves and estimates are files of their own", () => {
  const { files, engine } = setUp();
  const large = put(engine, normal, Buffer.alloc(4096 - 23));
  const appender = put(engine, { kind: "appender", extension: "log" }, "a");
  const master = putPacked(engine, "master");
  const slave = put(engine, { kind: "slave", master, prefix: "_s", extension: "" }, "slave");
  const handle = engine.startWrite(normal, 1, false);
  handle.write(Buffer.from("more than was said"));
  const estimated = commit(engine, handle.finish());
  for (const name of [large, appender, slave, estimated]) {
    expect(files.stat(`${directory}/data/${name.slice(4)}`, false)?.kind, name).toBe("file");
  }
  expect(slotOf(put(engine, normal, Buffer.alloc(4096 - 24))).size).toBe(4096);
});

test("without packing, without a lease, and on disks that do not turn, files are files of their own", () => {
  const files = new MemoryFiles(directory);
  const wanted: number[] = [];
  const world = { files, directory, onLeaseWanted: (count: number) => wanted.push(count) };
  const plain = openEngine({ ...world, settings: { packing: "auto" } });
  expect(plain.setPacking(smallPacking)).toEqual({ packs: false, leased: 0 });
  plain.addTrunkLease(1, 5);
  expect(put(plain, normal, "a").length).toBe(44);
  expect(wanted).toEqual([]);
  plain.close();
  files.rotational = true;
  const turning = openEngine({ ...world, seed: 2, settings: { packing: "auto" } });
  expect(turning.setPacking({ ...smallPacking, mode: "off" })).toEqual({ packs: true, leased: 0 });
  expect(put(turning, normal, "b").length).toBe(44);
  turning.setPacking(smallPacking);
  expect(put(turning, normal, "c").length).toBe(44);
  expect(wanted).toEqual([4]);
  turning.addTrunkLease(8, 2);
  expect(slotOf(put(turning, normal, "d")).fileId).toBe(8);
  expect(wanted).toEqual([4, 4]);
  turning.setPacking({ ...smallPacking, mode: "off" });
  expect(put(turning, normal, "e").length).toBe(44);
});

test("the space of deleted files is merged and used again, and old names find nothing there", () => {
  const { files, engine } = setUp();
  const names = ["a", "b", "c", "d"].map((letter) => putPacked(engine, letter.repeat(200)));
  for (const name of names.slice(1, 3)) commit(engine, engine.prepareRemove(name));
  expect(walkedTrunkFiles(files, directory)).toEqual({
    "00/00/000001": { slots: 2, free: "224+448 896+15488", damagedBytes: 0 },
  });
  const again = putPacked(engine, "e".repeat(400));
  expect(slotOf(again)).toEqual({ fileId: 1, offset: 224, size: 448 });
  expect(readBack(engine, again).toString()).toBe("e".repeat(400));
  for (const name of names.slice(1, 3)) expect(() => engine.openRead(name)).toThrow("no file");
  expect(readBack(engine, names[3] ?? "").toString()).toBe("d".repeat(200));
});

test("an upload that is given up leaves its slot free, and zeros in it", () => {
  const { files, engine } = setUp();
  putPacked(engine, "first");
  const handle = engine.startWrite(normal, 10);
  handle.write(Buffer.from("half "));
  handle.abort();
  const whole = engine.startWrite(normal, 4);
  whole.write(Buffer.from("whole".slice(0, 4)));
  whole.abort();
  expect(walkedTrunkFiles(files, directory)["00/00/000001"]).toEqual({
    slots: 1,
    free: "64+16320",
    damagedBytes: 0,
  });
  expect(slotOf(putPacked(engine, "second")).offset).toBe(64);
  const short = engine.startWrite(normal, 10);
  short.write(Buffer.from("1234567"));
  expect(() => short.finish()).toThrow("10 bytes were announced, 7 came");
  short.abort();
  expect(files.openFiles).toBeLessThan(5);
});

test("trunk files follow one another; the space of those that rest comes back when there is enough", () => {
  const { engine, settle, files } = setUp();
  const names: string[] = [];
  for (let number = 0; number < 30; number += 1)
    names.push(putPacked(engine, Buffer.alloc(4000, "x")));
  expect(new Set(names.map((name) => slotOf(name).fileId))).toEqual(
    new Set([1, 2, 3, 4, 5, 6, 7, 8]),
  );
  for (const name of names.slice(0, 4)) {
    if (slotOf(name).fileId === 1) commit(engine, engine.prepareRemove(name));
  }
  settle();
  // Nothing was left in the first one, and it gives no slots just now.
  expect(files.stat(`${directory}/data/00/00/000001`, false)).toBeUndefined();
  commit(engine, engine.prepareRemove(names[5] ?? ""));
  const inSecond = slotOf(names[5] ?? "");
  expect(inSecond.fileId).toBe(2);
  let reused: string | undefined;
  for (let number = 0; number < 12 && reused === undefined; number += 1) {
    const name = putPacked(engine, Buffer.alloc(4000, "y"));
    if (slotOf(name).fileId === 2) reused = name;
  }
  expect(slotOf(reused ?? "")).toEqual(inSecond);
});

test("a clean end is remembered: the next engine goes on in the same files, with the same free space", () => {
  const files = new MemoryFiles(directory);
  const first = openPacking({ files, directory });
  const names = ["a", "b", "c"].map((letter) => putPacked(first.engine, letter.repeat(300)));
  commit(first.engine, first.engine.prepareRemove(names[1] ?? ""));
  first.engine.close();
  const next = openPacking({ files, directory, seed: 2, firstNumber: 100 });
  expect(slotOf(putPacked(next.engine, "d".repeat(300)))).toEqual(slotOf(names[1] ?? ""));
  expect(slotOf(putPacked(next.engine, "e")).fileId).toBe(1);
  expect(readBack(next.engine, names[2] ?? "").toString()).toBe("c".repeat(300));
});

test("a disk that is full while a trunk file is made stores files of their own, and tries again later", () => {
  const troubled = new TroubledFiles(new MemoryFiles(directory));
  const probe = openPacking({ files: troubled.files, directory });
  troubled.arm({ kind: "none" });
  putPacked(probe.engine, "x");
  const calls = troubled.count;
  for (let atCall = 1; atCall < calls; atCall += 1) {
    const each = new TroubledFiles(new MemoryFiles(directory));
    const logs: LogRecord[] = [];
    const { engine, clock } = openPacking({ files: each.files, directory, logs });
    each.arm({ kind: "fail", atCall, code: "ENOSPC" });
    let name = "";
    try {
      name = putPacked(engine, "content");
    } catch (error) {
      expect(error).toMatchObject({ code: "store-full" });
    }
    if (name !== "") expect(readBack(engine, name).toString(), `call ${atCall}`).toBe("content");
    if (logs.some(({ event }) => event === "trunk-file-not-made")) {
      expect(name.length).toBe(44);
      expect(put(engine, normal, "meanwhile").length).toBe(44);
      clock.advance(10_001);
    }
    expect(slotOf(putPacked(engine, "later")).offset).toBeGreaterThanOrEqual(0);
    engine.close();
    const next = openPacking({ files: each.files, directory, seed: 2, firstNumber: 100 });
    runBackground(next.engine, next.clock);
    if (name !== "") expect(readBack(next.engine, name).toString()).toBe("content");
  }
});

test("a slot of the trunk server is used as it is, made room for, and refused where something stands in it", () => {
  const { files, engine } = setUp({ packing: { mode: "served" } });
  expect(put(engine, normal, "not packed by ourselves").length).toBe(44);
  const slot = { high: 1, low: 2, fileId: 7, offset: 1024, size: 256 };
  const target = { kind: "slot", extension: "txt", slot } as const;
  const name = put(engine, target, "hello trunk world");
  expect(name.startsWith("M00/01/02/")).toBe(true);
  expect(slotOf(name)).toEqual({ fileId: 7, offset: 1024, size: 256 });
  expect(readBack(engine, name).toString()).toBe("hello trunk world");
  expect(files.stat(`${directory}/data/01/02/000007`, false)?.sizeBytes).toBe(16 * 1024);
  expect(() => put(engine, target, "again")).toThrow("in use");
  const beyond = { ...target, slot: { ...slot, offset: 20_000 } };
  expect(readBack(engine, put(engine, beyond, "x")).toString()).toBe("x");
  expect(() => put(engine, { ...target, slot: { ...slot, size: 30 } }, "too long")).toThrow(
    "no room",
  );
  expect(() => put(engine, { ...target, slot: { ...slot, high: 16 } }, "x")).toThrow(
    "no directory",
  );
  commit(engine, engine.prepareRemove(name));
  expect(readBack(engine, put(engine, target, "after it")).toString()).toBe("after it");
});

test("free space is given away file by file, and is not ours any more", () => {
  const files = new MemoryFiles(directory);
  const { engine } = openPacking({ files, directory });
  const names = ["a", "b", "c"].map((letter) => putPacked(engine, letter.repeat(300)));
  commit(engine, engine.prepareRemove(names[1] ?? ""));
  engine.setPacking({ ...smallPacking, mode: "served" });
  const given = [...engine.giveTrunkSpaceAway(1), ...engine.giveTrunkSpaceAway(10)];
  expect(given).toEqual([
    { fileId: 1, high: 0, low: 0, offset: 324, size: 324 },
    { fileId: 1, high: 0, low: 0, offset: 972, size: 16 * 1024 - 972 },
  ]);
  expect(engine.giveTrunkSpaceAway(10)).toEqual([]);
  engine.close();
  const next = openPacking({ files, directory, seed: 2, firstNumber: 2 });
  expect(slotOf(putPacked(next.engine, "d")).fileId).toBe(2);
  expect(readBack(next.engine, names[2] ?? "").toString()).toBe("c".repeat(300));
});
