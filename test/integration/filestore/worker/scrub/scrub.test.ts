/**
 * Goal: beside its requests a worker finds what rotted in any kind of file, sets it aside, and takes nothing else for rot. Method: an engine on
 * a disk in memory, bytes flipped behind its back, and the steps of its background work made by hand.
 */
import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import type { ScrubReport } from "#filestore/scrub/scrub-report.ts";
import { judgeNamed, judgeNameless } from "#filestore/worker/scrub/judge-damaged.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { FileError } from "#platform/files.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  readText,
  runSteps,
  viewOf,
} from "../../../../support/engine-fixture.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { openPacking, putPacked } from "../../../../support/packed-fixture.ts";
import { writeFile } from "../../../../support/store-path-vectors.ts";

const directory = "/disk";
const pace = { rateBytes: 0, busyShare: 3 };
const normal = { kind: "normal", extension: "bin" } as const;

function pathOf(name: string): string {
  return `${directory}/data/${name.slice(4)}`;
}

/** Changes a byte as rot does: no time of the file tells. */
function rot(files: MemoryFiles, path: string, at = 0): void {
  files.rot(path, at);
}

/** Runs until the scrub is at its end. */
function scrubbed(engine: StorePathEngine, clock: ManualClock): ScrubReport {
  engine.scrub.order("start", pace);
  for (let turn = 0; turn < 100_000; turn += 1) {
    if (!engine.scrub.isRunning) return engine.scrub.report(1000);
    clock.advance(Math.max(1, engine.scrub.step() ?? 1));
  }
  throw new Error("the scrub does not end");
}

function judge(engine: StorePathEngine, name: string) {
  const store = engine.judged;
  const finding = engine.scrub.damaged.get(name.slice(4));
  return runSteps(judgeNamed({ store, disk: engine.diskReads, finding }, store.layout.place(name)));
}

function world() {
  const files = new MemoryFiles(directory);
  const clock = new ManualClock();
  const logs: LogRecord[] = [];
  const open = () => openEngine({ files, directory, clock, logs });
  return { files, clock, logs, open, engine: open() };
}

test("everything is read once, and each directory's time of verification tells", () => {
  const { clock, engine, files } = world();
  const name = put(engine, normal, "a".repeat(3000));
  const appender = put(engine, { kind: "appender", extension: "log" }, "begin");
  commit(engine, engine.prepareMetadata(name, "overwrite", Buffer.from("a\u0002b")));
  clock.advance(100_000);
  files.nowSeconds = Math.floor(clock.nowMs() / 1000) - 50;
  const report = scrubbed(engine, clock);
  expect(report).toMatchObject({ state: "idle", damagedTotal: 0, problem: undefined });
  expect(report.tally).toMatchObject({ files: 3, good: 1, unknown: 2, damaged: 0 });
  expect(report.directoriesDone).toBe(report.directoriesTotal);
  const place = engine.judged.layout.place(name);
  expect(engine.scrub.verifiedAt(place, 0)).toBe(report.begunAt);
  // What changed since was not verified.
  expect(engine.scrub.verifiedAt(place, report.begunAt)).toBe(0);
  // From now on side records vouch for the others.
  expect(scrubbed(engine, clock).tally).toMatchObject({ files: 3, good: 3, unknown: 0 });
  commit(engine, engine.prepareTruncate(appender, 2));
  expect(scrubbed(engine, clock).tally).toMatchObject({ good: 2, damaged: 0 });
});

test("rot is found in normal, appender and slave files and in metadata, and each of them is set aside", () => {
  const { clock, engine, files } = world();
  const name = put(engine, normal, "a".repeat(3000));
  const appender = put(engine, { kind: "appender", extension: "log" }, "begin");
  const slave = put(
    engine,
    { kind: "slave", master: name, prefix: "_small", extension: "bin" },
    "slave",
  );
  commit(engine, engine.prepareMetadata(name, "overwrite", Buffer.from("a\u0002b")));
  clock.advance(100_000);
  scrubbed(engine, clock);
  const damaged = [name, `${name}-m`, appender, slave];
  for (const each of damaged) rot(files, pathOf(each));
  const report = scrubbed(engine, clock);
  expect(report.tally).toMatchObject({ files: 4, good: 0, damaged: 4 });
  expect(report.damaged.map(({ place }) => `M00/${place}`).sort()).toEqual([...damaged].sort());
  for (const each of damaged) expect(judge(engine, each)).toBe("aside");
  for (const each of damaged) expect(files.stat(pathOf(each), false)).toBe(undefined);
  expect(files.list(`${directory}/data/.cairn/aside`)).toHaveLength(4);
  expect(readText(files, `${directory}/data/.cairn/lost-files`)).toContain(appender);
  // Nobody takes that for a deletion.
  expect(viewOf(files, directory).binlog.trim().split("\n").slice(-4).sort()).toEqual(
    damaged.map((each) => `0 d ${each}`).sort(),
  );
  expect(scrubbed(engine, clock)).toMatchObject({ tally: { damaged: 0 }, damagedTotal: 4 });
});

test("packed files are checked by their headers, and set aside by name or by slot", () => {
  const files = new MemoryFiles(directory);
  const { engine, clock } = openPacking({ files, directory });
  const names = ["one", "two", "three"].map((text) => putPacked(engine, text.repeat(30)));
  clock.advance(10_000_000);
  expect(scrubbed(engine, clock).tally).toMatchObject({ files: 3, good: 3, damaged: 0 });
  const trunk = Object.keys(viewOf(files, directory).files).find((path) => /\/000001$/.test(path));
  const path = `${directory}/data/${trunk}`;
  const text = readText(files, path);
  rot(files, path, text.indexOf("twotwo"));
  rot(files, path, text.indexOf("threethree") + 5);
  const report = scrubbed(engine, clock);
  expect(report.damaged.map(({ damage }) => damage)).toEqual(["slot-content", "slot-content"]);
  expect(judge(engine, names[0] ?? "")).toBe("well");
  expect(judge(engine, names[1] ?? "")).toBe("aside");
  expect(() => readBack(engine, names[1] ?? "")).toThrow(
    expect.objectContaining({ code: "file-missing" }),
  );
  const nameless = report.damaged[1];
  const store = engine.judged;
  expect(runSteps(judgeNameless({ store, disk: engine.diskReads, finding: nameless }))).toBe(
    "aside",
  );
  expect(scrubbed(engine, clock).tally).toMatchObject({ files: 1, good: 1, damaged: 0 });
  expect(readBack(engine, names[0] ?? "").toString()).toBe("one".repeat(30));
});

test("a rotten header is no packed file, and is written anew by the name that the binlog has", () => {
  const files = new MemoryFiles(directory);
  const { engine, clock } = openPacking({ files, directory });
  const names = ["one", "two"].map((text) => putPacked(engine, text.repeat(30)));
  clock.advance(10_000_000);
  const trunk = Object.keys(viewOf(files, directory).files).find((path) => /\/000001$/.test(path));
  const path = `${directory}/data/${trunk}`;
  const before = readText(files, path);
  rot(files, path, before.indexOf("oneone") - 24);
  const report = scrubbed(engine, clock);
  expect(report.damaged).toMatchObject([{ damage: "slot-header", state: "found" }]);
  expect(judge(engine, names[0] ?? "")).toBe("mended");
  expect(readText(files, path)).toBe(before);
  expect(readBack(engine, names[1] ?? "").toString()).toBe("two".repeat(30));
});

test("it goes on where it was after a restart, and knows what was damaged", () => {
  const { clock, engine, files, open } = world();
  const names = Array.from({ length: 40 }, (_, at) => put(engine, normal, `file ${at}`));
  rot(files, pathOf(names[0] ?? ""));
  engine.scrub.order("start", pace);
  // Somebody waits for the disk: a file a step.
  while (engine.scrub.damaged.total === 0) {
    engine.scrub.noteForeground();
    clock.advance(engine.scrub.step() ?? 1);
  }
  engine.close();
  const again = open();
  expect(again.scrub.isRunning).toBe(true);
  expect(again.scrub.report(10)).toMatchObject({
    damagedTotal: 1,
    damaged: [{ damage: "content" }],
  });
  while (again.scrub.isRunning) clock.advance(again.scrub.step() ?? 1);
  expect(again.scrub.report(10).tally.files).toBe(40);
  again.close();
});

test("a path that was never scrubbed has nothing of it on its disk", () => {
  const { engine, files } = world();
  put(engine, normal, "content");
  engine.background.turn(true);
  engine.close();
  const own = files.list(`${directory}/data/.cairn`) ?? [];
  expect(own.filter((name) => name.includes("scrub") || name === "side")).toEqual([]);
});

test("orders begin, hold, resume and end it", () => {
  const { clock, engine } = world();
  put(engine, normal, "content");
  const { scrub } = engine;
  expect(scrub.step()).toBe(undefined);
  expect(scrub.order("resume", pace)).toBe(false);
  expect(scrub.order("start", pace)).toBe(true);
  expect(scrub.order("start", pace)).toBe(false);
  expect(scrub.order("pause", pace)).toBe(true);
  expect(scrub.step()).toBe(undefined);
  expect(scrub.report(1).state).toBe("paused");
  expect(scrub.order("resume", pace)).toBe(true);
  scrub.noteForeground();
  scrub.step();
  expect(scrub.order("stop", pace)).toBe(true);
  expect(scrub.report(1)).toMatchObject({ state: "idle", endedAt: 0 });
  expect(scrubbed(engine, clock).endedAt).toBeGreaterThan(0);
});

test("while somebody waits for the disk it takes its share, and its limit otherwise", () => {
  const { clock, engine } = world();
  put(engine, normal, Buffer.alloc(8 * 1024 * 1024, "x"));
  const { scrub } = engine;
  scrub.order("start", { rateBytes: 1024 * 1024, busyShare: 5 });
  let pauses = 0;
  for (let step = 0; scrub.isRunning && step < 1000; step += 1) {
    const pauseMs = scrub.step() ?? 0;
    pauses += pauseMs;
    clock.advance(pauseMs);
  }
  // 8 MiB at 1 MiB a second.
  expect(pauses).toBeGreaterThan(7000);
});

test("what the disk does not give is damaged and unreadable, and ends nothing", () => {
  const { clock, engine, files } = world();
  const [bad = "", ...others] = ["a", "b", "c"].map((text) => put(engine, normal, text.repeat(99)));
  files.failReads(pathOf(bad), new FileError("EIO", "EIO: read"));
  const report = scrubbed(engine, clock);
  expect(report.tally).toMatchObject({ files: 3, good: 2, damaged: 1, unreadable: 1 });
  expect(judge(engine, bad)).toBe("aside");
  for (const name of others) expect(judge(engine, name)).toBe("well");
});

test("a file that was deleted, or is being changed, is no rot", () => {
  const { clock, engine, files } = world();
  const name = put(engine, normal, "a".repeat(100));
  const appender = put(engine, { kind: "appender", extension: "log" }, "begin");
  clock.advance(100_000);
  scrubbed(engine, clock);
  rot(files, pathOf(name));
  engine.judged.locks.add(name.slice(4));
  expect(scrubbed(engine, clock).tally).toMatchObject({ damaged: 0, passedOver: 1 });
  expect(judge(engine, name)).toBe("busy");
  engine.judged.locks.delete(name.slice(4));
  commit(engine, engine.prepareRemove(name));
  expect(judge(engine, name)).toBe("missing");
  // Another content of the same size and time: somebody put it there.
  const stat = files.stat(pathOf(appender), false);
  writeFile(files, `${pathOf(appender)}.new`, "other");
  files.rename(`${pathOf(appender)}.new`, pathOf(appender));
  files.setModified(pathOf(appender), stat?.modifiedSeconds ?? 0);
  expect(scrubbed(engine, clock).tally).toMatchObject({ damaged: 0, unknown: 1 });
});
