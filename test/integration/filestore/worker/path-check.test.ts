/** What a check of a store path finds, and what it leaves. */
import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { openEngine, put, viewOf } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";
const file = { kind: "normal", extension: "bin" } as const;

function stage(settings: Partial<StorePathSettings> = {}) {
  const disk = new MemoryFiles(directory);
  const troubled = new TroubledFiles(disk);
  const logs: LogRecord[] = [];
  const failures: string[] = [];
  const engine = openEngine({
    files: troubled.files,
    directory,
    settings,
    logs,
    onFlushFailed: (error) => failures.push(error.code),
  });
  return {
    disk,
    troubled,
    engine,
    logs,
    failures,
    check: (suspect: boolean): number => engine.runNow(engine.check(suspect)),
  };
}

test("a path that is well passes, and nothing of the check stays", () => {
  const { disk, engine, check } = stage();
  const names = ["one", "two", "three"].map((content) => put(engine, file, content));
  put(engine, { kind: "appender", extension: "" }, "grows");
  const before = viewOf(disk, directory);
  const open = disk.openFiles;
  expect(check(false)).toBe(0);
  expect(check(true)).toBe(names.length + 1);
  expect(viewOf(disk, directory)).toEqual(before);
  expect(disk.openFiles).toBe(open);
  put(engine, file, "four");
});

test("the end of the binlog is brought to the disk again", () => {
  const { disk, engine, check } = stage({ durability: "relaxed" });
  put(engine, file, "one");
  const { binlog } = viewOf(disk, directory);
  expect(binlog).not.toBe("");
  check(true);
  disk.flushDirectory(`${directory}/data/sync`);
  disk.powerCut();
  expect(viewOf(disk, directory).binlog).toBe(binlog);
});

test("each call of a check may fail: that is its answer, and nothing is left open", () => {
  const { disk, engine, troubled, check } = stage();
  put(engine, file, "one");
  troubled.arm({ kind: "none" });
  check(true);
  const { count } = troubled;
  const open = disk.openFiles;
  for (let atCall = 1; atCall <= count; atCall += 1) {
    troubled.arm({ kind: "fail", atCall, code: "EIO" });
    const name = (): string => troubled.trace[atCall - 1] ?? "";
    let failed = false;
    try {
      check(true);
    } catch (error) {
      failed = true;
      expect(error, name()).toMatchObject({ code: "disk-failed" });
    }
    if (name() !== "close") expect(failed, `${atCall} ${name()}`).toBe(true);
    expect(disk.openFiles, `${atCall} ${name()}`).toBe(open);
  }
  troubled.arm({ kind: "none" });
  expect(check(true)).toBe(1);
});

test("another file system in its place is noticed", () => {
  const { disk, engine, check } = stage();
  put(engine, file, "one");
  disk.rename(`${directory}/data`, "/elsewhere");
  disk.makeDirectory(`${directory}/data`);
  disk.makeDirectory(`${directory}/data/.cairn`);
  expect(() => check(false)).toThrow(/not what was opened/);
});

test("a binlog that lost its end is noticed", () => {
  const { disk, engine, check } = stage();
  put(engine, file, "one");
  const descriptor = disk.open(`${directory}/data/sync/binlog.000`, "read-write");
  const { sizeBytes } = disk.statDescriptor(descriptor);
  disk.truncate(descriptor, sizeBytes - 4);
  expect(() => check(false)).toThrow(/binlog/);
  disk.write(descriptor, Buffer.alloc(4), sizeBytes - 4);
  expect(() => check(false)).toThrow(/does not end with a record/);
});

test("files whose content is lost or rotten are named, but only after a failed flush are they looked for", () => {
  const { disk, engine, logs, check } = stage();
  const names = ["one", "two", "three", "four"].map((content) => put(engine, file, content));
  const place = (name = ""): string => `${directory}/data/${name.slice(4)}`;
  const descriptor = disk.open(place(names[1]), "read-write");
  disk.write(descriptor, Buffer.from("x"), 1);
  disk.remove(place(names[2]));
  engine.commit([engine.prepareRemove(names[3] ?? "")]);
  expect(check(false)).toBe(0);
  expect(() => check(true)).toThrow(/2 of 3 files stored last are damaged/);
  expect(logs.at(-1)).toMatchObject({
    event: "files-damaged",
    data: { count: 2, files: `${names[1]} ${names[2]}` },
  });
});

test("a full disk passes without a test file, so that files can be deleted there", () => {
  const { disk, engine, troubled, logs, check } = stage();
  const name = put(engine, file, "one");
  troubled.arm({ kind: "none" });
  check(false);
  const create = troubled.trace.indexOf("open") + 1;
  for (const atCall of [create, create + 1]) {
    troubled.arm({ kind: "fail", atCall, code: "ENOSPC" });
    expect(check(false)).toBe(0);
    expect(logs.at(-1)).toMatchObject({ event: "path-checked-without-test-file" });
  }
  troubled.arm({ kind: "none" });
  engine.commit([engine.prepareRemove(name)]);
  expect(viewOf(disk, directory)).toMatchObject({ files: {}, staged: [] });
});

test("a path is present until its directory is another one, or gone", () => {
  const { disk, engine } = stage();
  put(engine, file, "one");
  expect(engine.isPresent).toBe(true);
  disk.rename(`${directory}/data`, `${directory}/elsewhere`);
  expect(engine.isPresent).toBe(false);
  disk.rename(`${directory}/elsewhere`, `${directory}/data`);
  expect(engine.isPresent).toBe(true);
});
