/** Bodies on their way into `.cairn/tmp`, how they are copied and dropped, and what failed calls are told as. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { AssertionError } from "#base/assert.ts";
import { Log, type LogRecord } from "#base/log.ts";
import { amendBinlog } from "#filestore/worker/amend-binlog.ts";
import { commitBatch } from "#filestore/worker/batch-commit.ts";
import { ChangePreparer } from "#filestore/worker/change-preparer.ts";
import { diskFailure, onDisk } from "#filestore/worker/disk-failure.ts";
import { FileReader } from "#filestore/worker/file-reader.ts";
import { runFlushSteps } from "#filestore/worker/flush-steps.ts";
import { flushEveryBytes, stepBytes } from "#filestore/worker/limits.ts";
import { NewFileWriter, SlaveWriter } from "#filestore/worker/new-file-writer.ts";
import { openStorePath } from "#filestore/worker/open-store-path.ts";
import { SpliceWriter } from "#filestore/worker/splice-writer.ts";
import { copySteps, flushFile, runToEnd, setSize } from "#filestore/worker/staged-files.ts";
import { StagedBody } from "#filestore/worker/write-handle.ts";
import { startWrite } from "#filestore/worker/write-start.ts";
import { FileError } from "#platform/files.ts";
import { readText, settingsFor, viewOf } from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { seededRandom } from "../../../support/seeded-random.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";

function setUp(durability: "flushed" | "relaxed" = "flushed") {
  const disk = new MemoryFiles(directory);
  const troubled = new TroubledFiles(disk);
  const logs: LogRecord[] = [];
  const parts = {
    files: troubled.files,
    clock: new ManualClock(),
    random: seededRandom(1),
    log: new Log("test", (record) => logs.push(record)),
  };
  const world = { files: disk, directory, settings: { durability } };
  const { store } = openStorePath(settingsFor(world), parts);
  const staged = (): readonly string[] => viewOf(disk, directory).staged;
  return { disk, troubled, logs, store, staged };
}

test("a body is a part until it is taken, and gone when it is dropped", () => {
  const { store, disk, staged } = setUp();
  const body = new StagedBody(store);
  expect(staged()).toEqual([]);
  body.write(Buffer.from("abc"));
  body.write(Buffer.from("def"));
  expect([body.received, staged()]).toEqual([6, ["1.part"]]);
  const taken = body.take();
  const { path } = taken;
  expect(readText(disk, path)).toBe("abcdef");
  body.drop();
  taken.close();
  expect(staged()).toEqual(["1.part"]);
  const second = new StagedBody(store);
  second.write(Buffer.from("x"));
  second.drop();
  second.drop();
  expect(staged()).toEqual(["1.part"]);
  expect(disk.openFiles).toBe(1);
});

test("a body without a byte is an empty file", () => {
  const { store, disk } = setUp();
  expect(readText(disk, new StagedBody(store).take().path)).toBe("");
});

test("a long body is to be flushed on its way, where changes are flushed at all", () => {
  for (const [durability, flushes] of [
    ["flushed", 2],
    ["relaxed", 0],
  ] as const) {
    const { store } = setUp(durability);
    const body = new StagedBody(store);
    const piece = Buffer.alloc(flushEveryBytes / 8);
    let count = 0;
    for (let pieces = 0; pieces < 17; pieces += 1) {
      body.write(piece);
      if (body.takeFlush() === undefined) continue;
      count += 1;
      expect(body.takeFlush()).toBeUndefined();
      body.flushed(undefined);
    }
    expect(count).toBe(flushes);
    body.drop();
  }
});

test("a body that is dropped while it is flushed stays open until that ended", () => {
  const { store, disk, staged } = setUp();
  const before = disk.openFiles;
  const body = new StagedBody(store);
  body.write(Buffer.alloc(flushEveryBytes));
  expect(body.takeFlush()).toMatchObject({ kind: "file", descriptor: expect.any(Number) });
  expect(() => body.take()).toThrow("flushes have ended");
  body.drop();
  expect([staged(), disk.openFiles]).toEqual([[], before + 1]);
  body.flushed(undefined);
  expect(disk.openFiles).toBe(before);
});

test("after a flush on its way failed a body is good for nothing", () => {
  const { store } = setUp();
  const body = new StagedBody(store);
  body.write(Buffer.alloc(flushEveryBytes));
  body.takeFlush();
  body.flushed(new FileError("EIO", "EIO: injected"));
  expect(() => body.write(Buffer.from("more"))).toThrow("EIO");
  expect(() => body.take()).toThrow("EIO");
  body.drop();
});

test("a small new file costs few calls", () => {
  const { store, troubled } = setUp("relaxed");
  const create = (): void => {
    const writer = new NewFileWriter(store, { kind: "normal", extension: "jpg", lengthBytes: 3 });
    writer.write(Buffer.from("abc"));
    runFlushSteps(store.files, commitBatch(store, [writer.finish()]));
  };
  create();
  // Past the turn of a second, around which the file's time has to be set.
  (store.clock as ManualClock).advance(500);
  troubled.arm({ kind: "none" });
  create();
  expect(troubled.trace).toEqual(["open", "write", "close", "write", "rename"]);
});

test("a writer that is given up leaves no file and no lock", () => {
  const { store, staged } = setUp();
  const reader = new FileReader(store, () => undefined);
  const preparer = new ChangePreparer(store, reader);
  const target = { kind: "appender", extension: "log" } as const;
  const first = startWrite(store, preparer, { target, lengthBytes: 3, exact: true });
  first.write(Buffer.from("abc"));
  first.abort();
  expect([store.locks.size, staged()]).toEqual([0, []]);
  const place = store.layout.place("M00/00/00/some-slave-or-other");
  const slave = new SlaveWriter(store, place);
  slave.write(Buffer.from("abc"));
  slave.abort();
  const before = { offset: 0, oldSize: 0, modifiedSeconds: 0 };
  const splice = new SpliceWriter(store, { kind: "append", place, ...before });
  expect(store.locks.size).toBe(1);
  splice.write(Buffer.from("abc"));
  splice.abort();
  expect([store.locks.size, staged()]).toEqual([0, []]);
});

test("content is copied in bounded steps to any place of a file", () => {
  const disk = new MemoryFiles(directory);
  const length = 2 * stepBytes + 7;
  const content = Buffer.alloc(length, "0123456789");
  writeFile(disk, "/disk/from", content);
  writeFile(disk, "/disk/to", "abc");
  const to = disk.open("/disk/to", "read-write");
  const steps = copySteps(disk, { from: "/disk/from", to, offset: 2, length });
  let count = 1;
  for (; steps.next().done !== true; count += 1);
  expect(count).toBe(3);
  expect(readText(disk, "/disk/to") === `ab${content.toString()}`).toBe(true);
  const more = { from: "/disk/from", to, offset: 0, length: length + 1 };
  expect(() => runToEnd(copySteps(disk, more))).toThrow("is shorter than it was");
  disk.close(to);
  setSize(disk, "/disk/to", 1);
  flushFile(disk, "/disk/to");
  expect(readText(disk, "/disk/to")).toBe("0");
  expect(disk.openFiles).toBe(0);
});

test("a staged file that cannot be removed is left to the next start, and said so", () => {
  const { store, troubled, logs } = setUp();
  troubled.arm({ kind: "fail", atCall: 1, code: "EIO" });
  store.staged.drop(`${store.layout.tmp}/1.part`);
  expect(logs.map(({ event }) => event)).toEqual(["staged-file-left"]);
});

test("amends are appended and flushed; where that fails too it is said", () => {
  const { store, disk, troubled, logs } = setUp();
  const line = "1700000000 D M00/00/00/some-file\n";
  runFlushSteps(store.files, amendBinlog(store, ""));
  runFlushSteps(store.files, amendBinlog(store, line));
  disk.powerCut();
  expect(viewOf(disk, directory).binlog).toBe(line);
  troubled.arm({ kind: "fail", atCall: 1, code: "EIO" });
  runFlushSteps(store.files, amendBinlog(store, line));
  expect(logs.map(({ event, data }) => [event, data.records])).toEqual([
    ["binlog-not-amended", line.trimEnd()],
  ]);
});

test("failed calls are told by what they mean", () => {
  const codes = ["ENOSPC", "EDQUOT", "ENAMETOOLONG", "EROFS", "EIO"].map((code) => {
    const failure = diskFailure(new FileError(code, `${code}: words`), "do it");
    return [failure.code, failure.details.errno, failure.message];
  });
  expect(codes).toEqual([
    ["store-full", "ENOSPC", "cannot do it: the disk is full"],
    ["store-full", "EDQUOT", "cannot do it: the disk is full"],
    ["file-invalid", "ENAMETOOLONG", "cannot do it: the name is too long"],
    ["disk-failed", "EROFS", "cannot do it: EROFS: words"],
    ["disk-failed", "EIO", "cannot do it: EIO: words"],
  ]);
  const known = new AppError("file-missing", "not there");
  expect(diskFailure(known, "do it")).toBe(known);
  expect(() => diskFailure(new AssertionError("ours"), "do it")).toThrow("ours");
  expect(onDisk("do it", () => 5)).toBe(5);
  const failing = (): never => {
    throw new FileError("EIO", "words");
  };
  expect(() => onDisk("do it", failing)).toThrow("cannot do it: words");
});
