import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import {
  type MadeSegment,
  SegmentMaker,
  segmentPath,
} from "#filestore/worker/journal/segment-maker.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { TroubledFiles } from "../../../../support/troubled-files.ts";

const directory = "/disk";
const layout = new FileLayout(directory, 0);
const mebibyte = 1024 * 1024;

function disk(): MemoryFiles {
  const files = new MemoryFiles(directory);
  for (const path of [layout.data, layout.own]) files.makeDirectory(path);
  for (const path of [layout.directory, layout.data]) files.flushDirectory(path);
  return files;
}

function make(files: MemoryFiles | TroubledFiles["files"], bytes: number) {
  const logs: LogRecord[] = [];
  const log = new Log("test", (record) => logs.push(record));
  const made: (readonly MadeSegment[] | undefined)[] = [];
  const maker = new SegmentMaker({ files, layout, log, bytes }, (segments) => made.push(segments));
  maker.begin();
  let steps = 0;
  while (maker.step() !== undefined) steps += 1;
  return { made, steps, logs, maker };
}

test("segments are zeros on stable storage, a mebibyte at a time", () => {
  const files = disk();
  const { made, steps } = make(files, 6 * mebibyte);
  expect(made.map((segments) => segments?.map(({ sizeBytes }) => sizeBytes))).toEqual([
    [3 * mebibyte, 3 * mebibyte],
  ]);
  expect(steps).toBeGreaterThanOrEqual(6);
  files.powerCut();
  for (const number of [0, 1]) {
    expect(files.stat(segmentPath(layout, number), false)?.sizeBytes).toBe(3 * mebibyte);
  }
});

test("those of the last run are taken, those of another size made anew", () => {
  const files = disk();
  make(files, 2 * mebibyte).maker.stop();
  const again = make(files, 2 * mebibyte);
  expect(again.maker.isThere).toBe(true);
  expect(again.steps).toBe(1);
  const larger = make(files, 4 * mebibyte);
  expect(larger.made[0]?.[0]?.sizeBytes).toBe(2 * mebibyte);
  expect(files.stat(segmentPath(layout, 0), false)?.sizeBytes).toBe(2 * mebibyte);
});

test("a disk without much room gets none", () => {
  const files = disk();
  files.freeBytes = 20 * mebibyte;
  const { made, logs } = make(files, 2 * mebibyte);
  expect(made).toEqual([undefined]);
  expect(logs).toEqual([]);
  expect(files.openFiles).toBe(0);
});

test("whatever call fails, nobody gets half a segment, and no file stays open", () => {
  for (let atCall = 1; ; atCall += 1) {
    const inner = disk();
    const troubled = new TroubledFiles(inner);
    troubled.arm({ kind: "fail", atCall, code: "EIO" });
    const { made, logs } = make(troubled.files, 2 * mebibyte);
    if (troubled.count < atCall) break;
    expect(made).toEqual([undefined]);
    expect(logs.map(({ event }) => event)).toEqual(["journal-not-made"]);
    expect(inner.openFiles).toBe(0);
  }
});
