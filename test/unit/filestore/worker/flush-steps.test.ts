/** Steps that wait for flushes: what they ask for, in which order, and what they hear. */
import { expect, test } from "vitest";
import {
  FilesFlusher,
  type FlushSteps,
  flushAll,
  nothingFlushed,
  runFlushSteps,
} from "#filestore/worker/flush-steps.ts";
import type { FileError } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

function setUp() {
  const files = new MemoryFiles("/disk");
  const descriptor = files.open("/disk/file", "create");
  files.write(descriptor, Buffer.from("content"));
  const failures: string[] = [];
  const store = { onFlushFailed: ({ code }: FileError) => failures.push(code) };
  return { files, descriptor, failures, store };
}

const directory: FlushTarget = { kind: "directory", path: "/disk" };
const file: FlushTarget = { kind: "file", path: "/disk/file" };

test("equal paths are flushed once, directories after the files whose names they carry", () => {
  const { store } = setUp();
  const other: FlushTarget = { kind: "file", path: "/disk/other" };
  const steps = flushAll(store, [directory, file, other, file, directory]);
  expect(steps.next(nothingFlushed)).toEqual({ done: false, value: [file, other, directory] });
  expect(steps.next([undefined, undefined, undefined])).toEqual({ done: true, value: undefined });
  expect(flushAll(store, []).next(nothingFlushed).done).toBe(true);
});

test("closed and open files and directories are brought to stable storage", () => {
  for (const target of ["closed", "open"]) {
    const { files, descriptor, store } = setUp();
    const first = target === "open" ? { ...file, descriptor } : file;
    expect(runFlushSteps(files, flushAll(store, [first, directory]))).toBeUndefined();
    files.powerCut();
    const again = files.open("/disk/file", "read");
    expect(files.statDescriptor(again).sizeBytes).toBe(7);
  }
});

test("the first failure is given back, and the owner of the engine hears of it", () => {
  const { files, failures, store } = setUp();
  const missing: FlushTarget = { kind: "file", path: "/disk/missing" };
  const outcome = runFlushSteps(files, flushAll(store, [file, missing]));
  expect([outcome?.code, failures]).toEqual(["ENOENT", ["ENOENT"]]);
  expect(files.openFiles).toBe(1);
});

test("a flusher over files answers at once", () => {
  const { files } = setUp();
  const flusher = new FilesFlusher(files);
  const said: unknown[] = [];
  flusher.flush([file, { kind: "file", path: "/nowhere" }], (outcome) =>
    said.push(outcome.map((error) => error?.code)),
  );
  flusher.soon(() => said.push("soon"));
  expect([said, flusher.inFlight]).toEqual([[[undefined, "ENOENT"], "soon"], 0]);
});

test("steps without a flush are told that nothing was flushed", () => {
  const { files } = setUp();
  const heard: unknown[] = [];
  const steps = function* (): FlushSteps<string> {
    heard.push(yield undefined);
    heard.push((yield [directory]).length);
    return "end";
  };
  expect(runFlushSteps(files, steps())).toBe("end");
  expect(heard).toEqual([nothingFlushed, 1]);
});
