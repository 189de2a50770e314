/** Completions of a worker as the other side of the ring finds them. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { blockView, makeBlockMemory } from "#filestore/block-pool.ts";
import { makeRingMemory, RingReader, RingWriter } from "#filestore/ring.ts";
import { Answers } from "#filestore/worker/answers.ts";
import { completion } from "#filestore/worker-messages.ts";
import { FileError } from "#platform/files.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

function setUp() {
  const ring = makeRingMemory();
  const blocks = makeBlockMemory();
  return { answers: new Answers(new RingWriter(ring), blocks), blocks, ring: new RingReader(ring) };
}

test("an answer carries its fields, and nothing of others", () => {
  const { answers, ring } = setUp();
  answers.done(7, { a: 1, b: 2, c: 3, length: 4, text: "name" });
  answers.done(8);
  const { done } = completion;
  expect(ring.take()).toMatchObject({ id: 7, kind: done, a: 1, b: 2, c: 3, blockLength: 4 });
  expect(ring.take()).toMatchObject({ id: 8, kind: done, a: 0, b: 0, c: 0, text: "" });
});

test("a failure carries its code, the disk's word and a message; our own mistakes are thrown on", () => {
  const { answers, ring } = setUp();
  answers.fail(1, new FileError("ENOSPC", "full"));
  answers.attempt(2, () => {
    throw new AppError("file-invalid", "no such thing");
  });
  answers.attempt(3, () => answers.done(3));
  const { failed, done } = completion;
  expect([ring.take(), ring.take(), ring.take()]).toMatchObject([
    { id: 1, kind: failed, text: "store-full", text2: "ENOSPC\0full" },
    { id: 2, kind: failed, text: "file-invalid", text2: "\0no such thing" },
    { id: 3, kind: done },
  ]);
  expect(() => answers.fail(4, new TypeError("a mistake"))).toThrow("a mistake");
  answers.wake();
});

test("a payload is the part of its block that the request says", () => {
  const { answers, blocks } = setUp();
  blockView(blocks, 3).set(Buffer.from("payload and more"));
  const record = { id: 1, kind: 1, flags: 0, block: 3, blockLength: 7, a: 0, b: 0, c: 0 };
  const payload = answers.payload({ ...record, text: "", text2: "" });
  expect(Buffer.from(payload).toString()).toBe("payload");
  expect(answers.view(3)).toBe(answers.view(3));
});

test("answers are roused for together, and one by one where each takes its time", () => {
  const clock = new ManualClock();
  let wakes = 0;
  const ring = new (class extends RingWriter {
    override wake(): void {
      wakes += 1;
    }
  })(makeRingMemory());
  const answers = new Answers(ring, makeBlockMemory(), clock);
  const handle = (ms: number): number => {
    clock.advance(ms);
    answers.wakeWhenSlow();
    return wakes;
  };
  clock.advance(1000);
  answers.beginBatch();
  expect([1, 1, 1, 1, 1, 1, 100, 100].map(handle)).toEqual([0, 0, 0, 0, 1, 1, 2, 3]);
});

test("nobody is told that there is no such file where the path is not the one that was opened", () => {
  const { answers, ring } = setUp();
  let looks = 0;
  answers.isPresent = () => {
    looks += 1;
    return looks === 1;
  };
  for (const id of [1, 2]) answers.fail(id, new FileError("ENOENT", "nothing there"));
  answers.fail(3, new AppError("disk-failed", "no directory", { details: { errno: "ENOENT" } }));
  // What is found, or fails in another way, costs no look.
  answers.done(4);
  answers.fail(5, new FileError("EIO", "broken"));
  const found = [ring.take(), ring.take(), ring.take(), ring.take(), ring.take()];
  expect(found.map((answer) => answer?.text)).toEqual([
    ...["file-missing", "store-path-unready", "store-path-unready", "", "disk-failed"],
  ]);
  expect(looks).toBe(3);
});
