/**
 * The worker's loop over a fake engine: requests go in through a ring, turns are made by hand, completions are looked at in
 * the order in which they come out.
 */
import { expect, test } from "vitest";
import { blockView, makeBlockMemory } from "#filestore/block-pool.ts";
import { makeRingMemory, RingReader, RingWriter } from "#filestore/ring.ts";
import type { RequestFields } from "#filestore/store-path-client.ts";
import { maxBatch } from "#filestore/worker/commit-queue.ts";
import { DiskFileWriter } from "#filestore/worker/disk-file-writer.ts";
import { FilesFlusher } from "#filestore/worker/flush-steps.ts";
import { makePulseMemory, PathCondition, PathPulse } from "#filestore/worker/path-condition.ts";
import { WorkerLoop } from "#filestore/worker/worker-loop.ts";
import {
  completion,
  flagComputeCrc,
  request,
  targetShift,
  writeFlag,
  writeTarget,
} from "#filestore/worker-messages.ts";
import { FakeEngine } from "../../../support/fake-engine.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

const name = "M00/00/00/appender";
const both = writeFlag.first | writeFlag.last;
const appending = writeTarget.append << targetShift;

class Bench {
  readonly engine = new FakeEngine();
  readonly loop: WorkerLoop;
  readonly pulse: PathPulse;
  readonly condition: PathCondition;
  readonly #requests: RingWriter;
  readonly #completions: RingReader;
  readonly #blocks = makeBlockMemory();

  constructor() {
    const requests = makeRingMemory();
    const completions = makeRingMemory();
    this.#requests = new RingWriter(requests);
    this.#completions = new RingReader(completions);
    const memory = makePulseMemory();
    this.pulse = new PathPulse(memory);
    const condition = new PathCondition(memory, () => {});
    this.condition = condition;
    this.loop = new WorkerLoop({
      engine: this.engine.asEngine,
      diskFiles: new DiskFileWriter(new MemoryFiles(), undefined),
      requests: new RingReader(requests),
      completions: new RingWriter(completions),
      blocks: this.#blocks,
      flusher: new FilesFlusher(new MemoryFiles()),
      refusal: () => condition.refusal,
      isAbandoned: (id) => condition.isAbandoned(id),
      checks: condition,
    });
    this.engine.files.set(name, { content: Buffer.alloc(0), metadata: undefined });
  }

  send(id: number, fields: RequestFields): void {
    this.#requests.push({
      id,
      flags: 0,
      block: -1,
      blockLength: 0,
      a: 0,
      b: 0,
      c: 0,
      text: "",
      text2: "",
      ...fields,
    });
  }

  /** A piece of an append to `name`; `text` is what is appended, in a block of its own. */
  append(
    id: number,
    upload: number,
    piece: { readonly flags: number; readonly text: string },
  ): void {
    blockView(this.#blocks, id).set(Buffer.from(piece.text));
    this.send(id, {
      kind: request.write,
      a: upload,
      block: id,
      blockLength: piece.text.length,
      flags: piece.flags | appending,
      text: (piece.flags & writeFlag.first) !== 0 ? name : "",
      b: 100,
    });
  }

  /** Turns until nothing more happens; what was answered, failures as `id!code`. */
  answers(turns = 50): string[] {
    for (let turn = 0; turn < turns && !this.loop.closed; turn += 1) this.loop.turn();
    const found: string[] = [];
    for (let next = this.#completions.take(); next !== undefined; next = this.#completions.take()) {
      found.push(next.kind === completion.done ? `${next.id}` : `${next.id}!${next.text}`);
    }
    return found;
  }

  get content(): string | undefined {
    return this.engine.files.get(name)?.content.toString();
  }
}

test("changes that come together share one commit, and others do not wait for it", () => {
  const bench = new Bench();
  for (let id = 1; id <= 3; id += 1) {
    bench.send(id, { kind: request.write, a: id, flags: both, text: "bin" });
  }
  bench.send(4, { kind: request.space });
  expect(bench.answers(1)).toEqual(["4", "1", "2", "3"]);
  expect(bench.engine.commits.map((names) => names.length)).toEqual([3]);
});

test("a batch is bounded", () => {
  const bench = new Bench();
  const count = maxBatch + 36;
  for (let id = 1; id <= count; id += 1) {
    bench.send(id, { kind: request.write, a: id, flags: both, text: "bin" });
  }
  expect(bench.answers()).toHaveLength(count);
  expect(bench.engine.commits.map((names) => names.length)).toEqual([maxBatch, 36]);
});

test("one change that fails fails alone", () => {
  const bench = new Bench();
  bench.engine.failCommits.add(name);
  bench.append(1, 1, { flags: both, text: "a" });
  bench.send(2, { kind: request.write, a: 2, flags: both, text: "bin" });
  expect(bench.answers()).toEqual(["1!disk-failed", "2"]);
});

test("changes of one name happen in the order in which they came, whatever their kind", () => {
  const bench = new Bench();
  bench.append(1, 1, { flags: writeFlag.first, text: "first " });
  bench.append(2, 2, { flags: writeFlag.first, text: "second " });
  bench.append(3, 2, { flags: writeFlag.last, text: "" });
  bench.send(4, { kind: request.truncate, text: name, a: 6 });
  bench.append(5, 5, { flags: both, text: "third" });
  bench.send(6, { kind: request.remove, text: name });
  bench.send(7, { kind: request.facts, text: name });
  expect(bench.answers(), "only the first is under way; questions do not wait").toEqual(["1", "7"]);
  bench.append(8, 1, { flags: writeFlag.last, text: "" });
  expect(bench.answers()).toEqual(["8", "2", "3", "4", "5", "6"]);
  expect(bench.content).toBeUndefined();
});

test("pieces of an upload that waits are written in order once its name is free", () => {
  const bench = new Bench();
  bench.append(1, 1, { flags: writeFlag.first, text: "a" });
  bench.append(2, 2, { flags: writeFlag.first, text: "b" });
  bench.append(3, 1, { flags: writeFlag.last, text: "A" });
  expect(bench.answers()).toEqual(["1", "3", "2"]);
  bench.append(4, 2, { flags: 0, text: "B" });
  bench.append(5, 2, { flags: writeFlag.last, text: "BB" });
  expect(bench.answers()).toEqual(["4", "5"]);
  expect(bench.content).toBe("aAbBBB");
});

test("nobody overtakes what waits for a name, not even when the name becomes free in between", () => {
  const bench = new Bench();
  bench.append(1, 1, { flags: writeFlag.first, text: "a" });
  bench.append(2, 2, { flags: both, text: "b" });
  bench.send(3, { kind: request.abort, a: 1 });
  bench.append(4, 4, { flags: both, text: "c" });
  expect(bench.answers()).toEqual(["1", "3", "2", "4"]);
  expect(bench.content).toBe("bc");
});

test("an upload that waits for a name can be given up, and the next has its turn", () => {
  const bench = new Bench();
  bench.append(1, 1, { flags: writeFlag.first, text: "a" });
  bench.append(2, 2, { flags: writeFlag.first, text: "b" });
  bench.append(3, 2, { flags: 0, text: "b" });
  bench.append(4, 4, { flags: both, text: "c" });
  bench.send(5, { kind: request.abort, a: 2 });
  expect(bench.answers()).toEqual(["1", "2!store-closing", "3!store-closing", "5"]);
  bench.append(6, 1, { flags: writeFlag.last, text: "A" });
  expect(bench.answers()).toEqual(["6", "4"]);
  expect(bench.content).toBe("aAc");
});

test("a failing piece frees its name for those who wait", () => {
  const bench = new Bench();
  bench.engine.failWritesAt = 5;
  bench.append(1, 1, { flags: writeFlag.first, text: "1234" });
  bench.append(2, 2, { flags: both, text: "b" });
  bench.append(3, 1, { flags: 0, text: "5678" });
  bench.append(4, 1, { flags: 0, text: "9" });
  expect(bench.answers()).toEqual(["1", "3!store-full", "4!store-full", "2"]);
  bench.append(5, 1, { flags: writeFlag.last, text: "9" });
  bench.append(6, 1, { flags: writeFlag.last, text: "9" });
  expect(bench.answers(), "the last piece ends the upload, failed or not").toEqual([
    "5!store-full",
    "6!file-invalid",
  ]);
  expect(bench.content).toBe("b");
});

test("a last piece that fails leaves no upload behind", () => {
  const bench = new Bench();
  bench.engine.failWritesAt = 5;
  bench.append(1, 1, { flags: writeFlag.first, text: "1234" });
  bench.append(2, 1, { flags: writeFlag.last, text: "5678" });
  bench.append(3, 1, { flags: writeFlag.last, text: "9" });
  expect(bench.answers()).toEqual(["1", "2!store-full", "3!file-invalid"]);
  expect([bench.engine.openWrites, bench.engine.locked.size]).toEqual([0, 0]);
});

test("what waits for a name that turns out to be gone is refused", () => {
  const bench = new Bench();
  bench.append(1, 1, { flags: writeFlag.first, text: "a" });
  bench.send(2, { kind: request.remove, text: name });
  bench.append(3, 3, { flags: writeFlag.first, text: "b" });
  bench.append(4, 3, { flags: writeFlag.last, text: "b" });
  bench.send(5, { kind: request.truncate, text: name });
  bench.append(6, 1, { flags: writeFlag.last, text: "" });
  expect(bench.answers()).toEqual([
    "1",
    "6",
    "2",
    "3!file-missing",
    "4!file-missing",
    "5!file-missing",
  ]);
});

test("requests go on while long work is done, one step a turn for each in turn", () => {
  const bench = new Bench();
  bench.engine.longSteps = 4;
  bench.send(1, { kind: request.facts, text: name, flags: flagComputeCrc });
  bench.send(2, { kind: request.facts, text: name, flags: flagComputeCrc });
  expect(bench.answers(3)).toEqual([]);
  bench.send(3, { kind: request.space });
  expect(bench.answers(1)).toEqual(["3"]);
  expect(bench.answers()).toEqual(["1", "2"]);
});

test("long work that ends in a change has it committed, and its name is taken until then", () => {
  const bench = new Bench();
  bench.engine.longSteps = 2;
  bench.send(1, { kind: request.regenerate, text: name });
  bench.send(2, { kind: request.remove, text: name });
  expect(bench.answers()).toEqual(["1", "2!file-missing"]);
  expect(bench.engine.files.size).toBe(1);
});

test("a change with a remainder is answered when that is done, and its name is taken until then", () => {
  const bench = new Bench();
  bench.engine.longSteps = 3;
  bench.append(1, 1, { flags: both, text: "a" });
  bench.send(2, { kind: request.truncate, text: name, a: 0 });
  expect(bench.answers(2)).toEqual([]);
  expect(bench.answers()).toEqual(["1", "2"]);
  expect(bench.content).toBe("");
});

test("long work that fails is answered, and frees its name", () => {
  const bench = new Bench();
  bench.engine.longSteps = 2;
  bench.send(1, { kind: request.facts, text: name, flags: flagComputeCrc });
  bench.loop.turn();
  bench.engine.files.delete(name);
  expect(bench.answers()).toEqual(["1!file-missing"]);
});

test("a close finishes committed changes, drops reads, and answers whatever waits", () => {
  const bench = new Bench();
  bench.engine.longSteps = 3;
  bench.engine.files.set("M00/other", { content: Buffer.alloc(5), metadata: undefined });
  bench.send(1, { kind: request.facts, text: "M00/other", flags: flagComputeCrc });
  bench.append(2, 2, { flags: both, text: "kept" });
  bench.send(3, { kind: request.write, a: 3, flags: writeFlag.first, text: "bin", b: 10 });
  bench.loop.turn();
  bench.append(4, 4, { flags: writeFlag.first, text: "waits" });
  bench.append(5, 4, { flags: 0, text: "too" });
  bench.send(6, { kind: request.close });
  expect(bench.answers()).toEqual(["3", "1!store-closing", "2", "4", "5", "6"]);
  expect(bench.content).toBe("kept");
  expect(bench.engine).toMatchObject({ openWrites: 0, openReads: 0, closed: true });
  expect(bench.loop.closed).toBe(true);
});

test("a close does not wait for a name that an unfinished upload holds", () => {
  const bench = new Bench();
  bench.append(1, 1, { flags: writeFlag.first, text: "a" });
  bench.append(2, 2, { flags: writeFlag.first, text: "b" });
  bench.send(3, { kind: request.remove, text: name });
  bench.send(4, { kind: request.close });
  expect(bench.answers()).toEqual(["1", "3!store-closing", "2!store-closing", "4"]);
  expect(bench.engine).toMatchObject({ openWrites: 0, closed: true });
});

test("a change that long work leaves behind is committed before the close", () => {
  const bench = new Bench();
  bench.send(1, { kind: request.regenerate, text: name });
  bench.loop.turn();
  bench.send(2, { kind: request.close });
  expect(bench.answers()).toEqual(["1", "2"]);
  expect(bench.engine.locked.size).toBe(0);
  expect([...bench.engine.files.keys()]).not.toContain(name);
});

test("reads are checked against the file, and what does not fit the first block gets a handle", () => {
  const bench = new Bench();
  bench.engine.files.set(name, { content: Buffer.alloc(100_000, 1), metadata: undefined });
  bench.send(1, { kind: request.read, text: name, a: 100_000, block: 0, blockLength: 16_384 });
  bench.send(2, { kind: request.read, text: name, a: 0, b: 50, block: 0, blockLength: 16_384 });
  expect(bench.answers()).toEqual(["1!file-invalid", "2"]);
  expect(bench.engine.openReads).toBe(0);
  bench.send(3, { kind: request.read, text: name, block: 0, blockLength: 16_384 });
  bench.send(4, { kind: request.readMore, a: 1, b: 16_384, c: 20_000, block: 300 });
  bench.send(5, { kind: request.readMore, a: 7, b: 0, c: 1, block: 300 });
  expect(bench.answers()).toEqual(["3", "4", "5!file-invalid"]);
  expect(bench.engine.openReads).toBe(1);
  bench.engine.failReads = true;
  bench.send(6, { kind: request.readMore, a: 1, b: 0, c: 5, block: 300 });
  bench.send(7, { kind: request.readEnd, a: 1 });
  bench.send(8, { kind: request.readEnd, a: 1 });
  expect(bench.answers()).toEqual(["6!disk-failed", "7", "8"]);
  expect(bench.engine.openReads).toBe(0);
});

test("an unknown request is refused; our own mistakes end the worker", () => {
  const bench = new Bench();
  bench.send(1, { kind: 77 });
  expect(bench.answers()).toEqual(["1!file-invalid"]);
  bench.engine.space = () => {
    throw new TypeError("our own mistake");
  };
  bench.send(2, { kind: request.space });
  expect(() => bench.loop.turn()).toThrow("our own mistake");
});

test("who new files come from can change while the path is served", () => {
  const bench = new Bench();
  bench.send(1, { kind: request.setSource, text: "address", text2: "10.0.0.1" });
  expect(bench.answers()).toEqual(["1"]);
  expect(bench.engine.source).toEqual({ kind: "address", address: "10.0.0.1" });
  bench.send(2, { kind: request.setSource, text: "id", text2: "100001" });
  expect(bench.answers()).toEqual(["2"]);
  expect(bench.engine.source).toEqual({ kind: "id", id: "100001" });
});

test("what was given up is not begun, and leaves nothing; what frees things is done", () => {
  const bench = new Bench();
  bench.append(1, 7, { flags: writeFlag.first, text: "some" });
  expect(bench.answers()).toEqual(["1"]);
  bench.append(2, 7, { flags: writeFlag.last, text: "more" });
  bench.send(3, { kind: request.remove, text: name });
  bench.send(4, { kind: request.abort, a: 7 });
  bench.send(5, { kind: request.space });
  bench.send(6, { kind: request.facts, text: name });
  bench.pulse.abandonUpTo(5);
  expect(bench.answers()).toEqual(["2!store-path-offline", "3!store-path-offline", "4", "5", "6"]);
  expect([bench.content, bench.engine.openWrites, [...bench.engine.locked]]).toEqual(["", 0, []]);
});

test("what waits for a name when it is given up is not begun either", () => {
  const bench = new Bench();
  bench.append(1, 7, { flags: writeFlag.first, text: "first" });
  bench.append(2, 8, { flags: both, text: "second" });
  bench.send(3, { kind: request.remove, text: name });
  expect(bench.answers()).toEqual(["1"]);
  bench.pulse.abandonUpTo(3);
  bench.append(4, 7, { flags: writeFlag.last, text: " last" });
  expect(bench.answers()).toEqual(["4", "2!store-path-offline", "3!store-path-offline"]);
  expect(bench.content).toBe("first last");
});

test("after a failed flush changes are refused and reads served, until a check found nothing", () => {
  const bench = new Bench();
  bench.condition.onFlushFailed(new Error("EIO"));
  bench.send(1, { kind: request.remove, text: name });
  bench.append(2, 7, { flags: both, text: "some" });
  bench.send(3, { kind: request.facts, text: name });
  expect(bench.answers()).toEqual(["1!disk-failed", "2!disk-failed", "3"]);
  bench.engine.failChecks = true;
  bench.send(4, { kind: request.check });
  bench.send(5, { kind: request.remove, text: name });
  expect(bench.answers()).toEqual(["5!disk-failed", "4!disk-failed"]);
  bench.engine.failChecks = false;
  bench.send(6, { kind: request.check });
  expect(bench.answers()).toEqual(["6"]);
  bench.send(7, { kind: request.remove, text: name });
  bench.send(8, { kind: request.check });
  expect(bench.answers()).toEqual(["7", "8"]);
  // The last one had nothing to be suspicious of.
  expect(bench.engine.checks).toEqual([true, true, false]);
});

test("a flush that fails while the path is checked makes the check fail", () => {
  const bench = new Bench();
  bench.condition.onFlushFailed(new Error("EIO"));
  bench.send(1, { kind: request.check });
  bench.loop.turn();
  bench.condition.onFlushFailed(new Error("EIO"));
  expect(bench.answers()).toEqual(["1!disk-failed"]);
  bench.send(2, { kind: request.remove, text: name });
  expect(bench.answers()).toEqual(["2!disk-failed"]);
});

test("an upload that is held is stored or given up later, and holds nothing once it is", () => {
  const bench = new Bench();
  const hold = both | writeFlag.hold;
  for (let id = 1; id <= 3; id += 1) {
    bench.send(id, { kind: request.write, a: id, flags: hold, text: "bin" });
  }
  expect(bench.answers()).toEqual(["1", "2", "3"]);
  expect([bench.engine.openWrites, bench.engine.commits.length]).toEqual([3, 0]);
  bench.send(4, { kind: request.storeHeld, a: 1 });
  bench.send(5, { kind: request.abort, a: 2 });
  bench.send(6, { kind: request.storeHeld, a: 2 });
  expect(bench.answers().sort()).toEqual(["4", "5", "6!file-invalid"]);
  expect(bench.engine.commits.map((names) => names.length)).toEqual([1]);
  bench.send(7, { kind: request.close });
  expect(bench.answers()).toEqual(["7"]);
  expect(bench.engine.openWrites).toBe(0);
});
