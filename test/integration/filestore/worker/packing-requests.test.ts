/** What a worker is asked about packing, and what it answers. */
import { expect, test } from "vitest";
import { makeBlockMemory } from "#filestore/block-pool.ts";
import { packingFields } from "#filestore/packing.ts";
import { makeRingMemory, RingReader, type RingRecord, RingWriter } from "#filestore/ring.ts";
import { Answers } from "#filestore/worker/answers.ts";
import { performPacking } from "#filestore/worker/packing-requests.ts";
import { request } from "#filestore/worker-messages.ts";
import { commit } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked, smallPacking } from "../../../support/packed-fixture.ts";

function setUp() {
  const { engine } = openPacking({ files: new MemoryFiles("/disk"), directory: "/disk" });
  const memory = makeRingMemory();
  const completions = new RingReader(memory);
  const answers = new Answers(new RingWriter(memory), makeBlockMemory());
  const ask = (fields: Partial<RingRecord>): RingRecord | undefined => {
    const record = { id: 9, kind: 0, flags: 0, block: 0, blockLength: 0, ...noFields, ...fields };
    performPacking(record, { engine, answers });
    return completions.take();
  };
  return { engine, answers, ask };
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
