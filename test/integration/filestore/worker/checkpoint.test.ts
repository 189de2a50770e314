import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { Checkpoint, readEngineState } from "#filestore/worker/checkpoint.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { runFlushSteps } from "#filestore/worker/flush-steps.ts";
import { checkpointBytes } from "#filestore/worker/limits.ts";
import { FileError } from "#platform/files.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

const layout = new FileLayout("/disk", 0);

function setUp() {
  const files = new MemoryFiles("/disk", layout.data, layout.own);
  const logs: LogRecord[] = [];
  const log = new Log("test", (record) => logs.push(record));
  const begin = { index: 0, offset: 500 };
  const checkpoint = new Checkpoint({ files, layout, log }, { subdirCount: 8, position: begin });
  const noted = () => {
    const state = readEngineState(files, layout);
    return state === "damaged" ? undefined : state;
  };
  const advance = (position: BinlogPosition): void =>
    runFlushSteps(files, checkpoint.advance(position));
  return { files, log, logs, checkpoint, advance, noted, begin };
}

test("what is noted is found again, after a power cut too", () => {
  const { files, checkpoint, noted } = setUp();
  expect(noted()).toBeUndefined();
  checkpoint.write({ index: 2, offset: 77 }, true);
  files.powerCut();
  const state = { version: 1, subdirCount: 8, checkpoint: { index: 2, offset: 77 }, clean: true };
  expect(noted()).toEqual(state);
});

test("it moves on only when it is far behind, or in another file", () => {
  const { advance, noted } = setUp();
  advance({ index: 0, offset: 500 + checkpointBytes - 1 });
  expect(noted()).toBeUndefined();
  advance({ index: 0, offset: 500 + checkpointBytes });
  expect(noted()?.checkpoint.offset).toBe(500 + checkpointBytes);
  expect(noted()?.clean).toBe(false);
  advance({ index: 0, offset: 600 + checkpointBytes });
  expect(noted()?.checkpoint.offset).toBe(500 + checkpointBytes);
  advance({ index: 1, offset: 10 });
  expect(noted()?.checkpoint).toEqual({ index: 1, offset: 10 });
});

test("a note on the way is flushed where changes are, and only there", () => {
  const { files, log, begin } = setUp();
  const far = { index: 0, offset: 500 + checkpointBytes };
  for (const [flushed, paths] of [
    [true, [`${layout.state}.new`, layout.own]],
    [false, []],
  ] as const) {
    const parts = { files, layout, log, flushed };
    const steps = new Checkpoint(parts, { subdirCount: 8, position: begin }).advance(far);
    const found: string[] = [];
    for (let step = steps.next([]); step.done !== true; step = steps.next([undefined])) {
      for (const { path } of step.value ?? []) found.push(path);
    }
    expect(found).toEqual(paths);
    const state = readEngineState(files, layout);
    expect(state).toMatchObject({ checkpoint: far, clean: false });
  }
});

test("a note whose flush fails is logged, and the owner hears of it", () => {
  const { files, log, logs, begin } = setUp();
  const failed: string[] = [];
  const onFlushFailed = ({ code }: FileError): unknown => failed.push(code);
  const checkpoint = new Checkpoint(
    { files, layout, log, onFlushFailed },
    { subdirCount: 8, position: begin },
  );
  const steps = checkpoint.advance({ index: 1, offset: 0 });
  steps.next([]);
  expect(steps.next([new FileError("EIO", "EIO: injected")]).done).toBe(true);
  expect([failed, logs.map(({ event }) => event)]).toEqual([["EIO"], ["checkpoint-not-written"]]);
  expect(readEngineState(files, layout)).toBeUndefined();
});

test("a note that cannot be written is logged, and tried again later", () => {
  const { files, advance, noted, logs } = setUp();
  const { rename } = files;
  files.rename = () => {
    throw new FileError("ENOSPC", "full");
  };
  advance({ index: 0, offset: 500 + checkpointBytes });
  expect(logs.map(({ event }) => event)).toEqual(["checkpoint-not-written"]);
  files.rename = rename;
  advance({ index: 0, offset: 500 + 2 * checkpointBytes });
  expect(noted()?.checkpoint.offset).toBe(500 + 2 * checkpointBytes);
});

test("as long as a note does not surely stand, the place of the last one is told", () => {
  const { files, log, begin } = setUp();
  const checkpoint = new Checkpoint({ files, layout, log }, { subdirCount: 8, position: begin });
  const far = { index: 0, offset: begin.offset + checkpointBytes };
  const steps = checkpoint.advance(far);
  let step = steps.next([]);
  while (step.done !== true) step = steps.next([new FileError("EIO", "EIO: the flush failed")]);
  expect(checkpoint.position).toEqual(begin);
  runFlushSteps(files, checkpoint.advance({ ...far, offset: far.offset + checkpointBytes }));
  expect(checkpoint.position.offset).toBe(far.offset + checkpointBytes);
});

test("on a full disk the old note is changed in its place: the path is in use", () => {
  const { files, checkpoint, noted } = setUp();
  checkpoint.write({ index: 2, offset: 77 }, true);
  const state = noted();
  if (state === undefined) throw new Error("it was just written");
  checkpoint.reuse(state);
  files.powerCut();
  expect(noted()).toEqual({ ...state, clean: false });
});

test("what is no state is called damaged", () => {
  const { files } = setUp();
  for (const text of ["", "\0\0\0", "version=1\n"]) {
    writeFile(files, layout.state, text);
    expect(readEngineState(files, layout)).toBe("damaged");
  }
});
