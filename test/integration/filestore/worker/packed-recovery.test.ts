/** What a start finds that no orderly end left: each kind of disagreement between records and trunk files, made by hand. */
import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import { maxFilesWithRecords } from "#filestore/trunk/limits.ts";
import { decodeBase } from "#model/file-id.ts";
import { commit, readBack, readText, stage, viewOf } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked, walkedTrunkFiles } from "../../../support/packed-fixture.ts";
import { replicate } from "../../../support/replica-stage.ts";
import { unpackStorePath, writeFile } from "../../../support/store-path-vectors.ts";

const directory = "/disk";
const trunkFile = `${directory}/data/00/00/000001`;
const own = `${directory}/data/.cairn`;

/** Three packed files, and no orderly end. */
function crashed(durability: "flushed" | "relaxed" = "flushed") {
  const files = new MemoryFiles(directory);
  const { engine } = openPacking({ files, directory, settings: { durability } });
  const names = ["a", "b", "c"].map((letter) => putPacked(engine, letter.repeat(300)));
  const write = (offset: number, bytes: Uint8Array): void => {
    const descriptor = files.open(trunkFile, "read-write");
    files.write(descriptor, bytes, offset);
    files.close(descriptor);
  };
  const logs: LogRecord[] = [];
  const start = () =>
    openPacking({ files, directory, seed: 2, firstNumber: 100, logs, settings: { durability } });
  return { files, engine, names, write, logs, start };
}

const offsetOf = (name: string): number => decodeBase(name.slice(10))?.trunk?.offset ?? -1;

test("a slot without a record is zeros again", () => {
  const { files, engine, start } = crashed();
  const staged = stage(
    engine,
    { kind: "normal", extension: "txt" },
    { content: "not recorded", pieces: 2 },
  );
  expect(staged.error).toBeUndefined();
  expect(walkedTrunkFiles(files, directory)["00/00/000001"]?.slots).toBe(4);
  const next = start();
  expect(next.engine.openReport).toEqual({ rolledForward: 0, swept: 1, adopted: false });
  expect(walkedTrunkFiles(files, directory)["00/00/000001"]).toEqual({
    slots: 3,
    free: "972+15412",
    damagedBytes: 0,
  });
});

test("a record without its content gets another one that says so, and its slot is kept for a peer's copy", () => {
  const { files, names, write, start, logs } = crashed("relaxed");
  write(offsetOf(names[1] ?? "") + 24 + 100, Buffer.from("rot"));
  write(offsetOf(names[2] ?? ""), Buffer.alloc(324));
  const next = start();
  const { binlog } = viewOf(files, directory);
  expect(binlog).toMatch(new RegExp(`d ${names[2]}\\n\\d+ d ${names[1]}\\n$`));
  expect(logs.find(({ event }) => event === "packed-files-lost")?.data).toEqual({ files: 2 });
  expect(readBack(next.engine, names[0] ?? "").toString()).toBe("a".repeat(300));
  for (const name of names.slice(1)) expect(() => next.engine.openRead(name)).toThrow("no file");
  // A slot that others had by then would cost the peer's copy as well.
  expect(offsetOf(putPacked(next.engine, "d".repeat(300)))).toBeGreaterThan(
    offsetOf(names[2] ?? ""),
  );
  for (const [at, name] of names.entries()) {
    const content = "abc"[at]?.repeat(300) ?? "";
    expect(replicate(next.engine, { name, content })).toBe("");
    expect(readBack(next.engine, name).toString()).toBe(content);
  }
});

test("with flushes the records of the last commit are looked at, and no more", () => {
  const { engine, names, write, start, logs } = crashed();
  const many = Array.from({ length: maxFilesWithRecords - 1 }, (_, at) =>
    putPacked(engine, `${at}`),
  );
  const spoil = (name: string): void => write(offsetOf(name) + 24 + 100, Buffer.from("rot"));
  spoil(names[1] ?? "");
  spoil(names[2] ?? "");
  const next = start();
  expect(logs.find(({ event }) => event === "packed-files-lost")?.data).toEqual({ files: 1 });
  expect(() => next.engine.openRead(names[2] ?? "")).toThrow("no file");
  // Older ones were flushed, and acknowledged: it is not for a start to take them away.
  expect(readBack(next.engine, names[1] ?? "").toString()).toContain("rot");
  for (const [at, name] of many.entries()) {
    expect(readBack(next.engine, name).toString()).toBe(`${at}`);
  }
});

test("a deletion that stopped half-way in a large slot is completed", () => {
  const { files, engine, names, write, start } = crashed();
  commit(engine, engine.prepareRemove(names[1] ?? ""));
  write(offsetOf(names[1] ?? "") + 200, Buffer.from("still here"));
  const next = start();
  expect(next.engine.openReport.rolledForward).toBe(1);
  expect(walkedTrunkFiles(files, directory)["00/00/000001"]).toMatchObject({
    slots: 2,
    damagedBytes: 0,
  });
});

test("without a legible note nothing is given out before it was looked at", () => {
  for (const note of ["", "trunk-open 1 0 0\nend 1\nrubbish", undefined]) {
    const { files, names, start } = crashed();
    if (note === undefined) files.remove(`${own}/trunk-open`);
    else writeFile(files, `${own}/trunk-open`, note);
    const next = start();
    next.settle();
    const more = Array.from({ length: 20 }, (_, at) =>
      putPacked(next.engine, Buffer.alloc(3000, at)),
    );
    expect(more.length).toBe(20);
    for (const [at, name] of names.entries()) {
      expect(readBack(next.engine, name).toString()).toBe("abc"[at]?.repeat(300));
    }
  }
});

test("a note from before the records that are looked at is not believed", () => {
  const { files, names, start } = crashed();
  const state = `version=1\nsubdir_count=16\nbinlog_index=0\nbinlog_offset=200\nclean=0\n`;
  writeFile(files, `${own}/state`, state);
  const { logs, engine, settle } = { ...start(), logs: [] };
  settle();
  expect(logs).toEqual([]);
  for (let at = 0; at < 20; at += 1) putPacked(engine, Buffer.alloc(3000, at));
  for (const [at, name] of names.entries()) {
    expect(readBack(engine, name).toString()).toBe("abc"[at]?.repeat(300));
  }
});

test("a note from behind the end of a binlog that was cut is not believed, and what the binlog has is looked at", () => {
  const { files, names, write, start, logs } = crashed("relaxed");
  write(offsetOf(names[1] ?? "") + 24 + 100, Buffer.from("rot"));
  const state = `version=1\nsubdir_count=16\nbinlog_index=0\nbinlog_offset=9999\nclean=0\n`;
  writeFile(files, `${own}/state`, state);
  // As if the second file had been deleted since, by a record that is lost.
  const [, file = ""] = readText(files, `${own}/trunk-open`).split("\n");
  writeFile(files, `${own}/trunk-open`, `trunk-open 1 0 9999\n${file}\n324 16060\nend 3\n`);
  const { engine, settle } = start();
  const events = logs.map(({ event }) => event);
  expect(events).toEqual(["files-in-doubt", "trunk-open-damaged", "packed-files-lost"]);
  expect(() => engine.openRead(names[1] ?? "")).toThrow("no file");
  settle();
  for (let at = 0; at < 20; at += 1) putPacked(engine, Buffer.alloc(3000, at));
  expect(readBack(engine, names[0] ?? "").toString()).toBe("a".repeat(300));
  expect(readBack(engine, names[2] ?? "").toString()).toBe("c".repeat(300));
});

test("an active trunk file that is cut off serves what is left, and takes nothing any more", () => {
  const { files, names, start, logs } = crashed();
  const descriptor = files.open(trunkFile, "read-write");
  files.truncate(descriptor, 400);
  files.close(descriptor);
  const next = start();
  expect(logs.map(({ event }) => event)).toContain("trunk-file-damaged");
  expect(readBack(next.engine, names[0] ?? "").toString()).toBe("a".repeat(300));
  for (const name of names.slice(1)) expect(() => next.engine.openRead(name)).toThrow("no file");
  const name = putPacked(next.engine, "goes on");
  expect(decodeBase(name.slice(10))?.trunk?.fileId).toBe(100);
  expect(readBack(next.engine, name).toString()).toBe("goes on");
});

test("an active trunk file that was only begun gets its size", () => {
  const { files, names, start } = crashed();
  const descriptor = files.open(trunkFile, "read-write");
  files.truncate(descriptor, 0);
  files.close(descriptor);
  const next = start();
  expect(files.stat(trunkFile, false)?.sizeBytes).toBe(16 * 1024);
  expect(() => next.engine.openRead(names[0] ?? "")).toThrow("no file");
  expect(offsetOf(putPacked(next.engine, "goes on"))).toBe(0);
});

test("files that C packed are read and deleted; their space stays C's", () => {
  const files = new MemoryFiles("/store");
  unpackStorePath("trunk", files, "/store");
  const settings = {
    index: 1,
    subdirCount: 2,
    adoptBasePath: "/store/base",
    packing: "on",
  } as const;
  const world = { files, directory: "/store/path1", settings };
  const { engine, settle } = openPacking({ ...world, firstNumber: 50 });
  const packed = "M01/00/00/fwBNAmsDxpmIUj90AAAAEcH7iQQAAAAAgAAAwAAAAEA897.txt";
  commit(engine, engine.prepareRemove(packed));
  settle();
  const names = Array.from({ length: 30 }, (_, at) => putPacked(engine, Buffer.alloc(100 + at)));
  expect(names.every((name) => (decodeBase(name.slice(10))?.trunk?.fileId ?? 0) >= 50)).toBe(true);
  const large = "M01/00/00/fwBNAmsDxpmIZf2mAAACvA8kHIUAAAAAgAAAAAAAAMA1623843";
  expect(readBack(engine, large).toString()).toBe("z".repeat(700));
  expect(() => engine.openRead(packed)).toThrow("no file");
  engine.close();
  const next = openPacking({ ...world, seed: 2, firstNumber: 100 });
  next.settle();
  expect(readBack(next.engine, large).toString()).toBe("z".repeat(700));
});
