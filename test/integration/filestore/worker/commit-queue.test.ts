/**
 * Goal: with flushes in flight, in whatever order they end, nothing is answered or recorded before what it needs is on stable storage,
 * whoever comes meanwhile shares the next commit, readers do not wait, and a power cut at any moment loses nothing that was answered.
 * Method: the worker's loop over a real engine on a disk in memory that forgets, with flushes that the test completes one by one.
 */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { CommitQueue, maxBatch } from "#filestore/worker/commit-queue.ts";
import { flushEveryBytes } from "#filestore/worker/limits.ts";
import { request, targetShift, writeFlag, writeTarget } from "#filestore/worker-messages.ts";
import { openEngine, put, viewOf } from "../../../support/engine-fixture.ts";
import { HeldFlusher } from "../../../support/held-flusher.ts";
import { LoopStage } from "../../../support/loop-stage.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { seededRandom } from "../../../support/seeded-random.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";

function setUp() {
  const disk = new MemoryFiles(directory);
  return { disk, stage: new LoopStage({ files: disk, directory }) };
}

/** All orders of so many things. */
function permutations(count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((order) =>
    Array.from({ length: count }, (_, at) => [
      ...order.slice(0, at),
      count - 1,
      ...order.slice(at),
    ]),
  );
}

/** The targets of the flushes that are held, by what they are. */
function heldTargets(stage: LoopStage): readonly string[] {
  return stage.flusher.held.map(({ target }) => {
    const path = target.path.slice(directory.length + "/data/".length);
    if (path.startsWith(".cairn/tmp/")) return "content";
    return path.startsWith("sync/") ? "binlog" : path;
  });
}

test("each step waits for all of its flushes, in any order, and the answer for the last", () => {
  for (const order of permutations(3)) {
    const { disk, stage } = setUp();
    stage.create(1, "one");
    stage.create(2, "two");
    expect(stage.turn()).toEqual([]);
    expect(heldTargets(stage)).toEqual(["content", "content", ".cairn/tmp"]);
    const targets = stage.flusher.held.map(({ target }) => target);
    for (const [done, number] of order.entries()) {
      expect(viewOf(disk, directory).binlog, `${order} after ${done}`).toBe("");
      const at = stage.flusher.held.findIndex(({ target }) => target === targets[number]);
      stage.flusher.complete(at);
    }
    expect(heldTargets(stage)).toEqual(["binlog"]);
    expect(viewOf(disk, directory)).toMatchObject({ files: {} });
    stage.flusher.complete(0);
    // The parents of the directory, which was made, and itself.
    expect(heldTargets(stage).toSorted()).toEqual(["", "00", "00/00"]);
    expect(stage.turn()).toEqual([]);
    while (stage.flusher.held.length > 1) stage.flusher.complete(stage.flusher.held.length - 1);
    expect(stage.turn()).toEqual([]);
    stage.flusher.complete(0);
    expect(stage.turn().map(({ id, failed }) => [id, failed])).toEqual([
      [1, false],
      [2, false],
    ]);
    expect(Object.values(viewOf(disk, directory).files).sort()).toEqual(["one", "two"]);
  }
});

test("what comes during a commit is read, staged and shares the next one", () => {
  const { disk, stage } = setUp();
  const name = put(stage.engine, { kind: "normal", extension: "txt" }, "read me");
  stage.create(1, "first");
  stage.turn();
  const before = stage.flusher.requests.length;
  for (let id = 2; id <= 9; id += 1) stage.create(id, `next ${id}`);
  stage.send(10, { kind: request.read, text: name, block: 10, blockLength: 16_384 });
  expect(stage.turn().map(({ id }) => id)).toEqual([10]);
  expect(Buffer.from(stage.block(10).subarray(0, 7)).toString()).toBe("read me");
  expect(viewOf(disk, directory).staged.length).toBe(9);
  expect(stage.flusher.requests.length).toBe(before);
  stage.flusher.completeAll();
  expect(stage.answered.map(({ id }) => id)).toEqual([10]);
  expect(stage.turn().map(({ id }) => id)).toEqual([1]);
  expect(heldTargets(stage)).toEqual([...Array(8).fill("content"), ".cairn/tmp"]);
  expect(stage.settle().map(({ id }) => id)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
});

test("more than a batch is committed in turns", () => {
  const { stage } = setUp();
  stage.create(1, "first");
  stage.turn();
  for (let id = 2; id <= maxBatch + 11; id += 1) stage.create(id, `next ${id}`);
  stage.turn();
  stage.flusher.completeAll();
  // Of the first, of a whole batch, and of the rest: content, binlog, directories.
  stage.settle();
  const contents = stage.flusher.requests.filter((count) => count > 1);
  expect(contents).toContain(maxBatch + 1);
  expect(stage.answered.map(({ id }) => id)).toEqual(
    Array.from({ length: maxBatch + 11 }, (_, index) => index + 1),
  );
});

test("after a commit that waited for flushes the next one is held back for those who were answered, but not for long", () => {
  const clock = new ManualClock();
  const flusher = new HeldFlusher(new MemoryFiles());
  const begun: number[] = [];
  const queue = new CommitQueue({
    commitSteps: function* (changes) {
      begun.push(changes.length);
      yield [{ kind: "file", path: "/none" }];
    },
    flusher,
    clock,
    ended: () => {},
    onReady: () => {},
  });
  const add = (count: number): void => {
    for (let id = 0; id < count; id += 1) {
      queue.add(id, { result: "", error: undefined, linked: false });
    }
  };
  const commitFor = (tookMs: number): void => {
    queue.begin();
    clock.advance(tookMs);
    flusher.complete(0, "EIO");
  };
  expect(queue.gatherMs).toBe(0);
  add(12);
  queue.begin();
  add(8);
  clock.advance(0.4);
  flusher.complete(0, "EIO");
  expect(queue.gatherMs).toBeCloseTo(0.1);
  add(9);
  expect(queue.gatherMs).toBeCloseTo(0.1);
  add(1);
  // Eighteen of the twenty that were under way.
  expect(queue.gatherMs).toBe(0);
  commitFor(100);
  add(1);
  expect(queue.gatherMs).toBeCloseTo(0.3);
  clock.advance(0.31);
  expect(queue.gatherMs).toBe(0);
  commitFor(1);
  add(1);
  // Whoever is alone waits for nobody.
  expect(queue.gatherMs).toBe(0);
  queue.begin();
  expect(begun).toEqual([12, 18, 1, 1]);
});

test("a name is taken until its commit ended, and who waits for it goes on then", () => {
  const { disk, stage } = setUp();
  const name = put(stage.engine, { kind: "appender", extension: "log" }, "abc");
  stage.send(1, { kind: request.truncate, text: name, a: 2 });
  stage.send(2, { kind: request.truncate, text: name, a: 1 });
  stage.turn();
  expect(heldTargets(stage)).toEqual(["binlog"]);
  expect(stage.settle().map(({ id }) => id)).toEqual([1, 2]);
  expect(Object.values(viewOf(disk, directory).files)).toEqual(["a"]);
});

test("a close waits for the commit that is under way, and for those that wait for it", () => {
  const { disk, stage } = setUp();
  stage.create(1, "first");
  stage.turn();
  stage.create(2, "second");
  stage.send(3, { kind: request.close });
  expect(stage.turn()).toEqual([]);
  expect(stage.settle().map(({ id, failed }) => [id, failed])).toEqual([
    [1, false],
    [2, false],
    [3, false],
  ]);
  expect(stage.loop.closed).toBe(true);
  expect(disk.openFiles).toBe(0);
});

test("whichever flush fails, nobody of its batch is acknowledged, and the next batch is refused", () => {
  const count = (() => {
    const { stage } = setUp();
    stage.create(1, "one");
    stage.create(2, "two");
    stage.settle();
    return stage.flusher.requests.reduce((sum, targets) => sum + targets, 0);
  })();
  expect(count).toBe(7);
  for (let failing = 0; failing < count; failing += 1) {
    const disk = new MemoryFiles(directory);
    const stage: LoopStage = new LoopStage({
      files: disk,
      directory,
      onFlushFailed: (cause) => {
        stage.refusal = fileStoreError("disk-failed", "a flush failed", { cause });
      },
    });
    stage.create(1, "one");
    stage.create(2, "two");
    stage.turn();
    stage.create(3, "three");
    stage.turn();
    for (let flush = 0; stage.flusher.held.length > 0; flush += 1) {
      stage.flusher.complete(0, flush === failing ? "EIO" : undefined);
      stage.turn();
    }
    expect(stage.answered.map(({ id, text }) => [id, text])).toEqual([
      [1, "disk-failed"],
      [2, "disk-failed"],
      [3, "disk-failed"],
    ]);
    stage.create(4, "four");
    expect(stage.turn()).toEqual([{ id: 4, text: "disk-failed", failed: true }]);
    expect(viewOf(disk, directory)).toMatchObject({ files: {}, staged: [] });
    stage.refusal = undefined;
    stage.create(5, "five");
    expect(stage.settle()).toMatchObject([{ id: 5, failed: false }]);
    openEngine({ files: disk, directory, seed: 2 });
    expect(Object.values(viewOf(disk, directory).files)).toEqual(["five"]);
  }
});

test("a power cut between any two flushes, in any order, loses nothing that was answered", () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const random = seededRandom(seed);
    const { disk, stage } = setUp();
    const sent = new Map<number, string>();
    let id = 0;
    const cutAfter = random.below(40);
    for (let step = 0; step < cutAfter; step += 1) {
      if (random.below(2) === 0 || stage.flusher.held.length === 0) {
        id += 1;
        sent.set(id, `content ${id}`);
        stage.create(id, `content ${id}`);
      } else {
        stage.flusher.complete(random.below(stage.flusher.held.length));
      }
      stage.turn();
    }
    disk.powerCut(random.below(3) === 0 ? undefined : random);
    openEngine({ files: disk, directory, seed: 1000 + seed });
    const { files, binlog, staged } = viewOf(disk, directory);
    expect(staged).toEqual([]);
    for (const answer of stage.answered) {
      expect(files[answer.text.slice(4)], `seed ${seed}`).toBe(sent.get(answer.id));
    }
    const recorded = [...binlog.matchAll(/ C M00\/(\S+)\n/g)].map((match) => match[1]);
    expect(Object.keys(files).sort(), `seed ${seed}`).toEqual(recorded.sort());
    const contents = [...sent.values()];
    for (const content of Object.values(files)) expect(contents).toContain(content);
  }
});

test("a kill between any two calls, with flushes in flight and the next batch staged, is settled", () => {
  const run = (atCall: number | undefined) => {
    const disk = new MemoryFiles(directory);
    const troubled = new TroubledFiles(disk);
    const stage = new LoopStage({ files: troubled.files, directory });
    troubled.arm(atCall === undefined ? { kind: "none" } : { kind: "stop", atCall });
    try {
      stage.create(1, "one");
      stage.turn();
      stage.create(2, "two");
      stage.create(3, "three");
      stage.settle();
    } catch {
      // Killed.
    }
    return { disk, stage, calls: troubled.count };
  };
  const { calls } = run(undefined);
  for (let atCall = 1; atCall <= calls; atCall += 1) {
    const { disk, stage } = run(atCall);
    openEngine({ files: disk, directory, seed: 2 }).close();
    const { files, binlog, staged } = viewOf(disk, directory);
    const recorded = [...binlog.matchAll(/ C M00\/(\S+)\n/g)].map((match) => match[1]);
    expect(Object.keys(files).sort(), `call ${atCall}`).toEqual(recorded.sort());
    expect(staged).toEqual([]);
    for (const { text } of stage.answered) expect(Object.keys(files)).toContain(text.slice(4));
  }
});

test("a long body is flushed while others go on, and its last piece waits for that", () => {
  const { disk, stage } = setUp();
  const piece = 200_000;
  const target = writeTarget.normal << targetShift;
  const pieces = Math.ceil(flushEveryBytes / piece);
  const large = 300;
  stage.block(large).fill(120);
  const send = (number: number, flags: number): void =>
    stage.send(number, {
      kind: request.write,
      ...{ a: 1, b: 0, block: large, blockLength: piece, flags: flags | target, text: "bin" },
    });
  send(1, writeFlag.first);
  for (let number = 2; number <= pieces; number += 1) send(number, 0);
  expect(stage.turn().length).toBe(pieces);
  expect(heldTargets(stage)).toEqual(["content"]);
  send(1000, writeFlag.last);
  stage.create(200, "small");
  expect(stage.turn()).toEqual([]);
  const [long, ...rest] = stage.flusher.held;
  expect(rest.length).toBe(2);
  while (stage.flusher.held.length > 1 || stage.flusher.held[0] !== long) {
    stage.flusher.complete(stage.flusher.held.length - 1);
    stage.turn();
  }
  expect(stage.answered.at(-1)?.id).toBe(200);
  expect(stage.settle().map(({ id }) => id)).toEqual([1000]);
  const sizes = Object.values(viewOf(disk, directory).files).map((content) => content.length);
  expect(sizes.sort((a, b) => a - b)).toEqual([5, (pieces + 1) * piece]);
});

test("an upload that is given up during a flush of its body leaves nothing", () => {
  const { disk, stage } = setUp();
  const target = writeTarget.normal << targetShift;
  const openBefore = disk.openFiles;
  for (let number = 1; number <= flushEveryBytes / 250_000 + 1; number += 1) {
    const flags = number === 1 ? writeFlag.first : 0;
    const fields = { a: 1, b: 0, block: 300, blockLength: 250_000, flags: flags | target };
    stage.send(number, { kind: request.write, ...fields, text: "bin" });
  }
  stage.turn();
  stage.send(1000, { kind: request.write, a: 1, flags: writeFlag.last });
  stage.turn();
  stage.send(1001, { kind: request.abort, a: 1 });
  expect(stage.turn()).toEqual([
    { id: 1000, text: "store-closing", failed: true },
    { id: 1001, text: "", failed: false },
  ]);
  expect(viewOf(disk, directory).staged).toEqual([]);
  stage.flusher.completeAll();
  expect(disk.openFiles).toBe(openBefore);
});

test("a commit that needs no flush ends where it began, and says nothing of being ready", () => {
  const ended: number[] = [];
  const queue = new CommitQueue({
    commitSteps: function* () {
      yield undefined;
    },
    flusher: new HeldFlusher(new MemoryFiles()),
    ended: (id) => ended.push(id),
    onReady: () => ended.push(-1),
  });
  queue.begin();
  queue.add(7, { result: "", error: undefined, linked: false });
  expect([queue.size, queue.isFlushing]).toEqual([1, false]);
  queue.begin();
  expect([queue.size, queue.isFlushing, ended]).toEqual([0, false, [7]]);
  expect(queue.takeAll()).toEqual([]);
});
