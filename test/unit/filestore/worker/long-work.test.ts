/** Long work takes turns, step by step; what waits for a flush is left alone meanwhile. */
import { expect, test } from "vitest";
import type { FlushSteps } from "#filestore/worker/flush-steps.ts";
import { LongWork } from "#filestore/worker/long-work.ts";
import { HeldFlusher } from "../../../support/held-flusher.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

function setUp() {
  const files = new MemoryFiles("/disk");
  const flusher = new HeldFlusher(files);
  const said: string[] = [];
  const work = new LongWork(flusher, () => said.push("ready"));
  const owner = (name: string, committed = true) => ({
    committed,
    done: (result: unknown) => said.push(`${name} ${result}`),
    failed: (error: unknown) => said.push(`${name} failed: ${(error as Error).message}`),
  });
  return { flusher, said, work, owner };
}

function* counting(said: string[], name: string, count: number): FlushSteps<string> {
  for (let step = 1; step <= count; step += 1) {
    said.push(`${name}${step}`);
    yield undefined;
  }
  return "done";
}

test("works take turns and tell their results", () => {
  const { said, work, owner } = setUp();
  work.start(counting(said, "a", 2), owner("a"));
  work.start(counting(said, "b", 1), owner("b"));
  for (let step = 0; step < 10; step += 1) work.step();
  expect(said).toEqual(["a1", "b1", "a2", "b done", "a done"]);
  expect([work.isReady, work.isBusy]).toEqual([false, false]);
});

test("one that waits for a flush is busy, not ready, and hears how it ended", () => {
  const { flusher, said, work, owner } = setUp();
  const flushing = function* (): FlushSteps<string> {
    const outcome = yield [{ kind: "directory", path: "/disk" }];
    return String(outcome[0]?.code);
  };
  work.start(flushing(), owner("good"));
  work.start(flushing(), owner("bad"));
  work.step();
  work.step();
  expect([work.isReady, work.isBusy]).toEqual([false, true]);
  flusher.complete(1, "EIO");
  flusher.complete(0);
  work.step();
  work.step();
  expect(said).toEqual(["ready", "ready", "bad EIO", "good undefined"]);
});

test("one that fails says so, and harms no other", () => {
  const { said, work, owner } = setUp();
  work.start(
    // biome-ignore lint/correctness/useYield: it fails before it could
    (function* (): FlushSteps<string> {
      throw new Error("broken");
    })(),
    owner("a"),
  );
  work.start(counting(said, "b", 1), owner("b"));
  for (let step = 0; step < 3; step += 1) work.step();
  expect(said).toEqual(["a failed: broken", "b1", "b done"]);
});

test("what only reads is dropped at the end, what was committed is finished", () => {
  const { said, work, owner } = setUp();
  work.start(counting(said, "a", 1), owner("a", false));
  work.start(counting(said, "b", 1), owner("b"));
  work.dropReading(new Error("stopping"));
  for (let step = 0; step < 3; step += 1) work.step();
  expect(said).toEqual(["a failed: stopping", "b1", "b done"]);
});
