/** What a worker is asked about packing, and what it answers. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { makeBlockMemory } from "#filestore/block-pool.ts";
import { packingFields } from "#filestore/packing.ts";
import { makeRingMemory, RingReader, type RingRecord, RingWriter } from "#filestore/ring.ts";
import { Answers } from "#filestore/worker/answers.ts";
import { FilesFlusher } from "#filestore/worker/flush-steps.ts";
import { LongWork } from "#filestore/worker/long-work.ts";
import { performPacking } from "#filestore/worker/packing-requests.ts";
import { request } from "#filestore/worker-messages.ts";
import { commit } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked, smallPacking } from "../../../support/packed-fixture.ts";

function setUp() {
  const files = new MemoryFiles("/disk");
  const { engine } = openPacking({ files, directory: "/disk" });
  const memory = makeRingMemory();
  const completions = new RingReader(memory);
  const answers = new Answers(new RingWriter(memory), makeBlockMemory());
  const longWork = new LongWork(new FilesFlusher(files), () => {});
  const ask = (fields: Partial<RingRecord>): RingRecord | undefined => {
    const record = { id: 9, kind: 0, flags: 0, block: 0, blockLength: 0, ...noFields, ...fields };
    performPacking(record, { engine, answers, longWork });
    return completions.take();
  };
  return { engine, answers, ask, longWork };
}

const noFields = { a: 0, b: 0, c: 0, text: "", text2: "" };

test("packing and leases reach the engine", () => {
  const { ask } = setUp();
  const packing = { kind: request.setPacking, ...packingFields(smallPacking) };
  expect(ask(packing)).toMatchObject({ id: 9, a: 1, b: 50 });
  expect(ask({ kind: request.trunkLease, a: 100, b: 7 })).toMatchObject({ id: 9 });
  expect(ask(packing)).toMatchObject({ a: 1, b: 57 });
  expect(() => ask({ kind: request.setPacking, text: "rubbish" })).toThrow("no packing");
});

test("free space is given away as lines of a trunk binlog", () => {
  const { engine, answers, ask } = setUp();
  const name = putPacked(engine, "a");
  putPacked(engine, "b");
  commit(engine, engine.prepareRemove(name));
  const given = ask({ kind: request.trunkGive });
  expect(given).toMatchObject({ id: 9, a: 2 });
  const lines = Buffer.from(answers.view(0).subarray(0, given?.blockLength ?? 0)).toString();
  expect(lines).toBe("0 A 0 0 0 1 0 64\n0 A 0 0 0 1 128 16256\n");
  expect(ask({ kind: request.trunkGive })).toMatchObject({ a: 0, blockLength: 0 });
});

test("a rebuild is answered at once and goes on by itself; asked for meanwhile, it is the same one", () => {
  const { engine, ask, longWork } = setUp();
  putPacked(engine, "a");
  const id = ask({ kind: request.trunkRebuild })?.a;
  expect(engine.trunkFacts.rebuild).toMatchObject({ id, state: "running" });
  expect(ask({ kind: request.trunkRebuild })?.a).toBe(id);
  while (longWork.isReady) longWork.step();
  expect(engine.trunkFacts.rebuild).toMatchObject({ id, state: "done", files: 1, slots: 1 });
  ask({ kind: request.trunkRebuild });
  expect(engine.trunkFacts.rebuild?.state).toBe("running");
  longWork.dropReading(new AppError("store-closing", "the node is stopping"));
  expect(engine.trunkFacts.rebuild?.state).toBe("stopped");
});

test("of slots those are told in which a file stands", () => {
  const { engine, answers, ask } = setUp();
  const name = putPacked(engine, "a");
  putPacked(engine, "b");
  commit(engine, engine.prepareRemove(name));
  const lines = ["1 0", "1 64", "1 128", "77 0"].map((slot) => `0 A 0 0 0 ${slot} 64\n`).join("");
  answers.view(0).set(Buffer.from(lines));
  const found = ask({ kind: request.slotsInUse, blockLength: lines.length });
  expect(found).toMatchObject({ a: 1 });
  const told = answers.view(0).subarray(0, found?.blockLength ?? 0);
  expect(Buffer.from(told).toString()).toBe("0 D 0 0 0 1 64 64\n");
});
