/** File calls and flushes that count themselves. */
import { expect, test } from "vitest";
import { makePulseMemory, PathCondition, PathPulse } from "#filestore/worker/path-condition.ts";
import { WatchedFlusher, watchCalls } from "#filestore/worker/watched-calls.ts";
import { FileError } from "#platform/files.ts";
import type { Flusher, FlushOutcome, FlushTarget } from "#platform/flusher.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

function stage() {
  const memory = makePulseMemory();
  return { pulse: new PathPulse(memory), condition: new PathCondition(memory, () => {}) };
}

test("every call counts, also one that fails, and does what it did", () => {
  const { pulse, condition } = stage();
  const files = watchCalls(new MemoryFiles(), condition);
  files.makeDirectory("/disk");
  const descriptor = files.open("/disk/file", "create");
  files.write(descriptor, Buffer.from("content"), 0);
  files.close(descriptor);
  expect(files.stat("/disk/file", true)?.sizeBytes).toBe(7);
  expect(() => files.open("/disk/file", "create")).toThrow(FileError);
  expect(pulse.calls).toBe(6);
});

test("each flush counts when it ends, and all of them are answered together in their order", () => {
  const { pulse, condition } = stage();
  const running: { target: FlushTarget; done: (outcome: FlushOutcome) => void }[] = [];
  const inner: Flusher = {
    inFlight: 7,
    soon: (task) => task(),
    flush: (targets, done) => {
      for (const target of targets) running.push({ target, done });
    },
  };
  const flusher = new WatchedFlusher(inner, condition);
  const outcomes: FlushOutcome[] = [];
  const targets = ["/a", "/b", "/c"].map((path) => ({ kind: "file", path }) as const);
  flusher.flush(targets, (outcome) => outcomes.push(outcome));
  expect([pulse.flushing, pulse.flushed, flusher.inFlight]).toEqual([3, 0, 7]);
  const failure = new FileError("EIO", "EIO");
  running[1]?.done([failure]);
  running[2]?.done([undefined]);
  expect([pulse.flushing, pulse.flushed, outcomes]).toEqual([1, 2, []]);
  running[0]?.done([undefined]);
  expect([pulse.flushing, outcomes]).toEqual([0, [[undefined, failure, undefined]]]);
});
