/**
 * Uploads and reads as the worker serves them, over a real engine on simulated files. What happens between requests of one name, and
 * with long work, is in `worker-loop.test.ts`; what happens around commits in `commit-queue.test.ts`.
 */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { ReadRequests } from "#filestore/worker/read-requests.ts";
import { Uploads } from "#filestore/worker/uploads.ts";
import {
  flagComputeCrc,
  request,
  targetShift,
  writeFlag,
  writeTarget,
} from "#filestore/worker-messages.ts";
import { put, viewOf } from "../../../support/engine-fixture.ts";
import { LoopStage } from "../../../support/loop-stage.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

const directory = "/disk";

function setUp() {
  const disk = new MemoryFiles(directory);
  return { disk, stage: new LoopStage({ files: disk, directory }) };
}

function piece(stage: LoopStage, id: number, flags: number): void {
  const target = writeTarget.normal << targetShift;
  stage.block(id).set(Buffer.from(`piece ${id};`));
  const fields = { a: 1, b: 100, block: id, blockLength: 8, flags: flags | target, text: "txt" };
  stage.send(id, { kind: request.write, ...fields });
}

test("pieces of an upload are answered one by one, the last when its file stands", () => {
  const { disk, stage } = setUp();
  piece(stage, 1, writeFlag.first);
  piece(stage, 2, 0);
  piece(stage, 3, writeFlag.last);
  expect(stage.turn().map(({ id }) => id)).toEqual([1, 2]);
  const [last] = stage.settle();
  expect(last).toMatchObject({ id: 3, failed: false });
  const { files } = viewOf(disk, directory);
  expect(files[last?.text.slice(4) ?? ""]).toBe("piece 1;piece 2;piece 3;");
});

test("an upload that began before changes were refused ends with the refusal, and leaves nothing", () => {
  const { disk, stage } = setUp();
  piece(stage, 1, writeFlag.first);
  stage.turn();
  stage.refusal = fileStoreError("disk-failed", "a flush failed");
  piece(stage, 2, 0);
  piece(stage, 3, writeFlag.last);
  expect(stage.turn()).toEqual([
    { id: 2, text: "disk-failed", failed: true },
    { id: 3, text: "disk-failed", failed: true },
  ]);
  expect(viewOf(disk, directory).staged).toEqual([]);
});

test("a body that is whole in its block is read from there when it is committed, and is staged nowhere", () => {
  const disk = new MemoryFiles(directory);
  const settings = { durability: "relaxed" } as const;
  const stage = new LoopStage({ files: disk, directory, settings });
  const calls: string[] = [];
  const { open } = disk;
  disk.open = (path, mode) => {
    calls.push(path.startsWith(`${directory}/data/.cairn/tmp`) ? "tmp" : "in place");
    return open.call(disk, path, mode);
  };
  stage.create(1, "the first");
  stage.create(2, "the second");
  const answers = stage.settle();
  // The blocks are the main thread's again.
  for (const id of [1, 2]) stage.block(id).fill(0x78);
  const { files } = viewOf(disk, directory);
  expect(answers.map(({ text }) => files[text.slice(4)])).toEqual(["the first", "the second"]);
  expect(calls.slice(0, 2)).toEqual(["in place", "in place"]);
  expect(calls).not.toContain("tmp");
});

test("of a length that only seems whole, and of pieces, nothing is kept beyond their answer", () => {
  const disk = new MemoryFiles(directory);
  const stage = new LoopStage({ files: disk, directory, settings: { durability: "relaxed" } });
  const target = writeTarget.normal << targetShift;
  const send = (id: number, flags: number): void => {
    stage.block(id).set(Buffer.from(`piece ${id};`));
    const fields = { a: 1, b: 8, block: id, blockLength: 8, flags: flags | target, text: "txt" };
    stage.send(id, { kind: request.write, ...fields });
    stage.turn();
    stage.block(id).fill(0x78);
  };
  send(1, writeFlag.first | writeFlag.estimate);
  send(2, writeFlag.last);
  stage.settle();
  expect(Object.values(viewOf(disk, directory).files)).toEqual(["piece 1;piece 2;"]);
});

test("reads go on while changes are refused, and give up their files at the close", () => {
  const { disk, stage } = setUp();
  const content = "x".repeat(20_000);
  const name = put(stage.engine, { kind: "normal", extension: "txt" }, content);
  stage.refusal = fileStoreError("disk-failed", "a flush failed");
  stage.send(1, { kind: request.read, text: name, block: 1, blockLength: 16_000 });
  stage.send(2, { kind: request.readMore, a: 1, b: 16_000, c: 4000, block: 2 });
  stage.send(3, { kind: request.facts, text: name, flags: flagComputeCrc });
  stage.send(4, { kind: request.readMetadata, text: name, block: 4 });
  expect(stage.turn().map(({ id, text }) => [id, text])).toEqual([
    [1, ""],
    [2, ""],
    [3, ""],
    [4, "file-missing"],
  ]);
  expect(Buffer.from(stage.block(2).subarray(0, 4000)).toString()).toBe("x".repeat(4000));
  stage.send(5, { kind: request.close });
  expect(stage.settle()).toMatchObject([{ id: 5, failed: false }]);
  expect(disk.openFiles).toBe(0);
});

test("neither knows what was never begun", () => {
  const { stage } = setUp();
  expect([Uploads.name, ReadRequests.name]).toEqual(["Uploads", "ReadRequests"]);
  piece(stage, 1, writeFlag.last);
  stage.send(2, { kind: request.readMore, a: 9, b: 0, c: 1, block: 2 });
  stage.send(3, { kind: request.readEnd, a: 9 });
  stage.send(4, { kind: request.abort, a: 9 });
  expect(stage.turn().map(({ id, text }) => [id, text])).toEqual([
    [1, "file-invalid"],
    [2, "file-invalid"],
    [3, ""],
    [4, ""],
  ]);
});
