/** Batches of new files at the worker's loop, over a real engine on simulated files: what is stored, what is left to the main thread, when it answers. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { isOfBatch } from "#filestore/worker/replicas/replica-batches.ts";
import { request } from "#filestore/worker-messages.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { type SyncRecord, syncRecord } from "#protocol/peer/sync-record.ts";
import { viewOf } from "../../../../support/engine-fixture.ts";
import { LoopStage } from "../../../../support/loop-stage.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { peerName, peerTime } from "../../../../support/replica-stage.ts";

const directory = "/disk";
/** The first block of a size that holds any batch. */
const batchBlock = 256 + 64;

function setUp(durability: "relaxed" | "flushed" = "relaxed") {
  const disk = new MemoryFiles(directory);
  return { disk, stage: new LoopStage({ files: disk, directory, settings: { durability } }) };
}

function created(content: string, how: Partial<SyncRecord> = {}): SyncRecord {
  const bytes = Buffer.from(content);
  const fields = { kind: "create", timestamp: peerTime, other: "", first: 0, second: 0 } as const;
  return { ...fields, name: peerName(content), crc32: crc32(bytes), content: bytes, ...how };
}

function send(stage: LoopStage, id: number, records: readonly SyncRecord[]): void {
  const writer = new WireWriter();
  for (const record of records) syncRecord.encode(record, writer, narrowAddresses);
  const block = batchBlock + id;
  stage.block(block).set(writer.bytes());
  const { length: blockLength } = writer;
  stage.send(id, { kind: request.replicaBatch, block, blockLength, a: records.length });
}

function contents(disk: MemoryFiles): string[] {
  return Object.values(viewOf(disk, directory).files).map(String).sort();
}

for (const durability of ["relaxed", "flushed"] as const) {
  test(`new files are stored by one request, ${durability}`, () => {
    const { disk, stage } = setUp(durability);
    send(stage, 1, [created("one"), created("two"), created("")]);
    send(stage, 2, [created("three")]);
    expect(stage.settle()).toEqual([
      { id: 1, text: "111", failed: false },
      { id: 2, text: "1", failed: false },
    ]);
    expect(contents(disk)).toEqual(["", "one", "three", "two"]);
    // Without flushes the first one that is here is met, and only then the others are looked for.
    send(stage, 1, [created("one"), created("four")]);
    const first = durability === "relaxed" ? "01" : "21";
    expect(stage.settle()).toEqual([{ id: 1, text: first, failed: false }]);
    send(stage, 1, [created("one"), created("four"), created("five")]);
    expect(stage.settle()).toEqual([{ id: 1, text: "221", failed: false }]);
    expect(contents(disk)).toEqual(["", "five", "four", "one", "three", "two"]);
  });
}

test("a file that is here and wrong is not written over, and its name is free again", () => {
  const { disk, stage } = setUp();
  const right = created("right");
  const path = `${directory}/data/${right.name.slice(4)}`;
  send(stage, 1, [created("makes the directory")]);
  stage.settle();
  const descriptor = disk.open(path, "create");
  disk.write(descriptor, Buffer.from("wrong"));
  disk.close(descriptor);
  send(stage, 1, [right]);
  expect(stage.settle()).toEqual([{ id: 1, text: "0", failed: false }]);
  expect(contents(disk)).toEqual(["makes the directory", "wrong"]);
  expect(stage.engine.isLocked(right.name)).toBe(false);
});

test("a content without its CRC-32, another store path, a name twice and other changes are left out", () => {
  const { disk, stage } = setUp();
  const damaged = created("whole", { content: Buffer.from("whOle") });
  const elsewhere = created("else", { name: peerName("else").replace("M00", "M01") });
  const replaced = created("replaced", { kind: "replace" });
  const removed = created("", { kind: "delete" });
  const twice = created("twice");
  const wrongSum = created("sum", { crc32: 7 });
  send(stage, 1, [damaged, elsewhere, twice, twice, replaced, removed, wrongSum]);
  expect(stage.settle()).toEqual([{ id: 1, text: "0010000", failed: false }]);
  expect(contents(disk)).toEqual(["twice"]);
  expect(stage.engine.isLocked(damaged.name)).toBe(false);
});

test("the answer waits for the flushes of all, and comes before nothing is open any more", () => {
  const { stage } = setUp("flushed");
  send(stage, 1, [created("one"), created("two")]);
  expect(stage.turn()).toEqual([]);
  expect(stage.settle()).toEqual([{ id: 1, text: "11", failed: false }]);
});

test("what is no batch, or comes while nothing is taken, stores nothing", () => {
  const { disk, stage } = setUp();
  send(stage, 1, [created("one")]);
  stage.block(batchBlock + 1)[9] = 1;
  expect(stage.settle()).toEqual([{ id: 1, text: "file-invalid", failed: true }]);
  stage.refusal = fileStoreError("disk-failed", "a flush failed");
  send(stage, 2, [created("two")]);
  expect(stage.settle()).toEqual([{ id: 2, text: "disk-failed", failed: true }]);
  expect(contents(disk)).toEqual([]);
});

test("changes of batches have numbers that no request has", () => {
  expect([isOfBatch(-1), isOfBatch(0), isOfBatch(1)]).toEqual([true, false, false]);
});
