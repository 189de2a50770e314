/**
 * Goal: slots and records of packed files are flushed together, in whatever order these flushes end, and a power cut at any moment
 * loses nothing that was answered and shows nothing that is not whole.
 * Method: as in `commit-queue.test.ts`: the worker's loop over a real engine on a disk in memory that forgets, with flushes that the
 * test completes one by one.
 */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { packingFields, packingFrom } from "#filestore/packing.ts";
import { maxBytesWithRecords, maxFilesWithRecords } from "#filestore/trunk/limits.ts";
import { maxBatch } from "#filestore/worker/commit-queue.ts";
import { readBack, stage as stageOf, viewOf } from "../../../support/engine-fixture.ts";
import { LoopStage } from "../../../support/loop-stage.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked, smallPacking } from "../../../support/packed-fixture.ts";
import { seededRandom } from "../../../support/seeded-random.ts";

const directory = "/disk";

/** With a trunk file that slots are taken from already. */
function setUp(onFlushFailed: (stage: LoopStage, cause: Error) => void = () => {}) {
  const disk = new MemoryFiles(directory);
  const stage: LoopStage = new LoopStage({
    files: disk,
    directory,
    settings: { packing: "on" },
    onFlushFailed: (cause) => onFlushFailed(stage, cause),
  });
  const packing = packingFrom(packingFields(smallPacking));
  if (packing === undefined) throw new Error("no packing can be like that");
  stage.engine.setPacking(packing);
  stage.engine.addTrunkLease(1, 50);
  const first = putPacked(stage.engine, "first");
  return { disk, stage, first };
}

function held(stage: LoopStage): readonly string[] {
  return stage.flusher.held.map(({ target }) =>
    target.path.includes("/sync/") ? "binlog" : "slots",
  );
}

/** What is there after a start: the content of each recorded file, by name. */
function contentsAfterStart(disk: MemoryFiles, seed: number): Map<string, string> {
  const { engine } = openPacking({ files: disk, directory, seed, firstNumber: 1000 * seed });
  const there = new Set<string>();
  for (const [, kind, name = ""] of viewOf(disk, directory).binlog.matchAll(/ ([CDd]) (\S+)\n/g)) {
    if (kind === "C") there.add(name);
    else there.delete(name);
  }
  const contents = new Map([...there].map((name) => [name, readBack(engine, name).toString()]));
  engine.close();
  return contents;
}

test("slots and records are flushed at the same time, and the answer waits for both, in either order", () => {
  for (const first of ["slots", "binlog"]) {
    const { disk, stage } = setUp();
    stage.create(1, "one");
    stage.create(2, "two");
    expect(stage.turn()).toEqual([]);
    expect(held(stage).toSorted()).toEqual(["binlog", "slots"]);
    expect(viewOf(disk, directory).binlog.split("\n").length).toBe(4);
    stage.flusher.complete(held(stage).indexOf(first));
    expect(stage.turn()).toEqual([]);
    stage.flusher.complete(0);
    expect(stage.turn().map(({ id, failed }) => [id, failed])).toEqual([
      [1, false],
      [2, false],
    ]);
    disk.powerCut();
    expect([...contentsAfterStart(disk, 2).values()]).toEqual(["first", "one", "two"]);
  }
});

test("a power cut between the two leaves nothing of files that nobody was told of", () => {
  for (const done of ["slots", "binlog"]) {
    const { disk, stage, first } = setUp();
    stage.create(1, "one");
    stage.create(2, "two");
    stage.turn();
    stage.flusher.complete(held(stage).indexOf(done));
    disk.powerCut();
    expect(contentsAfterStart(disk, 2), done).toEqual(new Map([[first, "first"]]));
    const { binlog } = viewOf(disk, directory);
    // Peers are sent nothing of it.
    expect(binlog.match(/ d /g)?.length ?? 0).toBe(done === "binlog" ? 2 : 0);
    const again = openPacking({ files: disk, directory, seed: 3, firstNumber: 3000 });
    expect(again.engine.openReport).toEqual({ rolledForward: 0, swept: 0, adopted: false });
  }
});

test("whichever of the two fails, nobody is acknowledged, records are taken back and slots are free", () => {
  for (const failing of ["slots", "binlog"]) {
    const causes: Error[] = [];
    const { disk, stage, first } = setUp((failed, cause) => {
      causes.push(cause);
      failed.refusal = fileStoreError("disk-failed", "a flush failed", { cause });
    });
    stage.create(1, "one");
    stage.create(2, "two");
    stage.turn();
    const order = held(stage);
    for (const each of order) stage.flusher.complete(0, each === failing ? "EIO" : undefined);
    expect(stage.turn().map(({ id, text }) => [id, text])).toEqual([
      [1, "disk-failed"],
      [2, "disk-failed"],
    ]);
    expect(causes.length).toBe(1);
    expect(viewOf(disk, directory).binlog).toMatch(new RegExp(`^\\d+ C ${first}\\n$`));
    stage.refusal = undefined;
    stage.create(3, "three");
    expect(stage.settle()).toMatchObject([{ id: 3, failed: false }]);
    disk.powerCut();
    expect([...contentsAfterStart(disk, 2).values()], failing).toEqual(["first", "three"]);
  }
});

test("a power cut between any two flushes, in any order, loses nothing that was answered", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seededRandom(seed);
    const { disk, stage, first } = setUp();
    const sent = new Map<number, string>();
    const removed = new Set<string>();
    const removals = new Map<number, string>();
    const cutAfter = random.below(40);
    for (let id = 1; id <= cutAfter; id += 1) {
      const there = stage.answered.find(
        ({ id: made, text }) => sent.has(made) && !removed.has(text),
      );
      const choice = random.below(5);
      if (choice <= 1 || stage.flusher.held.length === 0) {
        // Of more than one sector, so that a part of it can be lost.
        sent.set(id, `${id} `.repeat(1 + random.below(500)));
        stage.create(id, sent.get(id) ?? "");
      } else if (choice === 2 && there !== undefined) {
        removed.add(there.text);
        removals.set(id, there.text);
        stage.remove(id, there.text);
      } else {
        stage.flusher.complete(random.below(stage.flusher.held.length));
      }
      stage.turn();
    }
    disk.powerCut(random.below(3) === 0 ? undefined : random);
    const contents = contentsAfterStart(disk, 1000 + seed);
    expect(contents.get(first)).toBe("first");
    for (const { id, text } of stage.answered) {
      const expected = sent.get(id);
      if (expected === undefined) {
        expect(contents.has(removals.get(id) ?? ""), `seed ${seed}`).toBe(false);
      } else if (!removed.has(text)) {
        expect(contents.get(text), `seed ${seed}`).toBe(expected);
      }
    }
    const whole = new Set(["first", ...sent.values()]);
    for (const content of contents.values()) expect(whole.has(content), `seed ${seed}`).toBe(true);
  }
});

test("a commit with more than a start looks at has its slots flushed before the records", () => {
  expect(maxBatch).toBeLessThanOrEqual(maxFilesWithRecords);
  const disk = new MemoryFiles(directory);
  const { engine } = openPacking({
    files: disk,
    directory,
    packing: { slotMaxBytes: maxBytesWithRecords, trunkFileBytes: 4 * maxBytesWithRecords },
  });
  const target = { kind: "normal", extension: "txt" } as const;
  const size = maxBytesWithRecords / 2 - 100;
  const targetsOf = (count: number): readonly number[] => {
    const changes = Array.from({ length: count }, () =>
      stageOf(engine, target, { content: Buffer.alloc(size, "x") }),
    );
    const targets: number[] = [];
    const steps = engine.commitSteps(changes);
    for (let step = steps.next([]); step.done !== true; step = steps.next([])) {
      if (step.value !== undefined) targets.push(step.value.length);
    }
    return targets;
  };
  expect(targetsOf(2)).toEqual([2]);
  expect(targetsOf(3)).toEqual([1, 1]);
});
