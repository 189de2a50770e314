/** What a batch for a peer is made of, at a real engine over simulated files: records of what is as its name says, nothing of all else. */
import { expect, test } from "vitest";
import { batchSteps } from "#filestore/worker/replicas/batch-reader.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { request } from "#filestore/worker-messages.ts";
import { syncRecords } from "#protocol/peer/sync-record.ts";
import { openEngine, put, runSteps } from "../../../../support/engine-fixture.ts";
import { LoopStage } from "../../../../support/loop-stage.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";

const directory = "/disk";

function setUp() {
  const disk = new MemoryFiles(directory);
  return { disk, engine: openEngine({ files: disk, directory }) };
}

function store(engine: StorePathEngine, content: string): string {
  return put(engine, { kind: "normal", extension: "txt" }, content);
}

function line(name: string, timestamp = 5): string {
  return `${timestamp} C ${name}`;
}

function read(engine: StorePathEngine, lines: readonly string[], room = 4096) {
  const block = Buffer.alloc(room);
  const length = block.write(lines.map((one) => `${one}\n`).join(""));
  const found = runSteps(batchSteps(engine, block, length));
  const count = [...found.isIn].filter((digit) => digit === "1").length;
  const records = syncRecords(block.subarray(0, found.length), count);
  return {
    isIn: found.isIn,
    contents: records.map(({ name, timestamp, content }) => [name, timestamp, String(content)]),
  };
}

test("files come as records in the order of their lines", () => {
  const { engine } = setUp();
  const [one, none, two] = [store(engine, "one"), store(engine, ""), store(engine, "two")];
  expect(read(engine, [line(one, 7), line(none), line(two)])).toEqual({
    isIn: "111",
    contents: [
      [one, 7, "one"],
      [none, 5, ""],
      [two, 5, "two"],
    ],
  });
});

test("what is gone, rotten, too short, no name, or another change is left out", () => {
  const { disk, engine } = setUp();
  const [gone, rotten, short, good] = ["gone", "rotten", "short", "good"].map((content) =>
    store(engine, content),
  ) as [string, string, string, string];
  const path = (name: string) => `${directory}/data/${name.slice(4)}`;
  disk.remove(path(gone));
  for (const [name, content] of [
    [rotten, "roTten"],
    [short, "shor"],
  ] as const) {
    disk.remove(path(name));
    const descriptor = disk.open(path(name), "create");
    disk.write(descriptor, Buffer.from(content));
    disk.close(descriptor);
  }
  const lines = [line(gone), line(rotten), line(short), line("M00/00/00/x"), "no line"];
  const others = [`5 D ${good}`, line(good.replace("M00", "M01")), line(good)];
  const found = read(engine, [...lines, ...others]);
  expect(found).toEqual({ isIn: "00000001", contents: [[good, 5, "good"]] });
});

test("what finds no room is left out, and files that do are still taken", () => {
  const { engine } = setUp();
  const large = store(engine, "l".repeat(3000));
  const small = store(engine, "small");
  expect(read(engine, [line(large), line(large), line(small)]).isIn).toBe("101");
});

test("the worker answers with what is in the block, in more steps than one", () => {
  const stage = new LoopStage({ files: new MemoryFiles(directory), directory });
  const names = Array.from({ length: 40 }, (_, at) => store(stage.engine, `file ${at}`));
  const block = 256 + 64;
  const text = names.map((name) => `${line(name)}\n`).join("");
  stage.block(block).set(Buffer.from(text));
  stage.send(1, { kind: request.readBatch, block, blockLength: text.length });
  expect(stage.settle()).toEqual([{ id: 1, text: "1".repeat(40), failed: false }]);
});
