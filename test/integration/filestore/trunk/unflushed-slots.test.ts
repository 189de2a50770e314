/**
 * Goal: nobody waits for the zeros over a deleted slot, and no power cut brings a deleted file back, or leaves anything of it where
 * others are to be stored.
 * Method: an engine on a disk in memory that forgets what was not flushed, cut after the answer, behind a checkpoint, after a clean
 * end, and where the flush of the zeros fails; each time the trunk files are walked afterwards.
 */
import { expect, test } from "vitest";
import { maxUnflushedFiles } from "#filestore/trunk/limits.ts";
import { TrunkDescriptors } from "#filestore/trunk/trunk-descriptors.ts";
import { UnflushedSlots } from "#filestore/trunk/unflushed-slots.ts";
import { runFlushSteps } from "#filestore/worker/flush-steps.ts";
import { checkpointBytes } from "#filestore/worker/limits.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { decodeBase } from "#model/file-id.ts";
import { FileError, type Files } from "#platform/files.ts";
import { commit, readBack, readText, stage, viewOf } from "../../../support/engine-fixture.ts";
import { LoopStage } from "../../../support/loop-stage.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import {
  openPacking,
  putPacked,
  smallPacking,
  walkedTrunkFiles,
} from "../../../support/packed-fixture.ts";
import { seededRandom } from "../../../support/seeded-random.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";
const { trunkFileBytes } = smallPacking;
const normal = { kind: "normal", extension: "txt" } as const;

const slotOf = (name: string) =>
  decodeBase(name.slice(10))?.trunk ?? { fileId: 0, offset: 0, size: 0 };
const filled = (letter: string, size = 300): Buffer => Buffer.alloc(size, letter);

function setUp() {
  const disk = new MemoryFiles(directory);
  const failures: FileError[] = [];
  const { engine, settle } = openPacking({
    files: disk,
    directory,
    onFlushFailed: (error) => failures.push(error),
  });
  const names = ["a", "b", "c"].map((letter) => putPacked(engine, filled(letter)));
  return { disk, engine, settle, failures, names };
}

/** Whether nothing but zeros stands in the slot. */
function isCleared(files: Files, name: string): boolean {
  const { fileId, offset, size } = slotOf(name);
  const path = `00/00/${String(fileId).padStart(6, "0")}`;
  const text = viewOf(files, directory).files[path] ?? "";
  return /^\0*$/.test(text.slice(offset, offset + size));
}

/** Opens the path again, and compares its trunk files with what is to be there. */
function expectSound(disk: MemoryFiles, there: readonly string[], gone: readonly string[]) {
  const next = openPacking({ files: disk, directory, seed: 9, firstNumber: 1000 });
  for (const name of there) expect(readBack(next.engine, name).length).toBe(300);
  for (const name of gone) {
    expect(() => next.engine.openRead(name)).toThrow();
    expect(isCleared(disk, name)).toBe(true);
  }
  const walked = Object.values(walkedTrunkFiles(disk, directory));
  expect(walked.reduce((sum, { slots }) => sum + slots, 0)).toBe(there.length);
  expect(walked.every(({ damagedBytes }) => damagedBytes === 0)).toBe(true);
  next.engine.close();
}

/** So many records, none of them of packed files, that the checkpoint moves. */
function moveCheckpoint(engine: StorePathEngine): void {
  engine.setPacking({ ...smallPacking, mode: "off" });
  const start = engine.binlogPosition().offset;
  while (engine.binlogPosition().offset - start <= checkpointBytes) {
    const changes = Array.from({ length: 4000 }, () => stage(engine, normal, { content: "" }));
    engine.commit(changes);
    engine.commit(changes.map(({ result = "" }) => engine.prepareRemove(result)));
  }
  commit(engine, stage(engine, { kind: "appender", extension: "txt" }, { content: "x" }));
}

test("a deletion waits for the flush of its record alone, however many slots are cleared", () => {
  const disk = new MemoryFiles(directory);
  const loop = new LoopStage({ files: disk, directory, settings: { packing: "on" } });
  loop.engine.setPacking(smallPacking);
  loop.engine.addTrunkLease(1, 50);
  const names = ["a", "b", "c"].map((letter) => putPacked(loop.engine, filled(letter)));
  for (const [id, name] of names.entries()) loop.remove(id, name);
  expect(loop.turn()).toEqual([]);
  expect(loop.flusher.held.map(({ target }) => target.path)).toEqual([
    expect.stringContaining("/sync/binlog"),
  ]);
  loop.flusher.completeAll();
  expect(loop.turn().map(({ failed }) => failed)).toEqual([false, false, false]);
  expect(loop.flusher.held).toEqual([]);
});

test("a power cut that takes the zeros of deleted files leaves no file and no rest of it", () => {
  const { disk, engine, names } = setUp();
  const [first = "", ...others] = names;
  commit(engine, engine.prepareRemove(first));
  disk.powerCut();
  expect(isCleared(disk, first)).toBe(false);
  expectSound(disk, others, [first]);
});

test("a smaller file in the place of a deleted one, cut at any time: what it leaves of the slot is zeros", () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const disk = new MemoryFiles(directory);
    const loop = new LoopStage({ files: disk, directory, settings: { packing: "on" } });
    loop.engine.setPacking(smallPacking);
    loop.engine.addTrunkLease(1, 50);
    const [first = "", kept = ""] = ["a", "b"].map((letter) =>
      putPacked(loop.engine, filled(letter)),
    );
    loop.remove(1, first);
    loop.settle();
    loop.create(2, "small");
    loop.turn();
    const { held } = loop.flusher;
    const done = seed % 3;
    for (let count = 0; count < done && held.length > 0; count += 1) loop.flusher.complete(0);
    const answers = loop.turn();
    disk.powerCut(seededRandom(seed));
    const next = openPacking({ files: disk, directory, seed: 9, firstNumber: 1000 });
    const walked = Object.values(walkedTrunkFiles(disk, directory));
    expect(walked.every(({ damagedBytes }) => damagedBytes === 0)).toBe(true);
    expect(readBack(next.engine, kept).equals(filled("b"))).toBe(true);
    expect(() => next.engine.openRead(first)).toThrow();
    for (const { text, failed } of answers) {
      expect(failed).toBe(false);
      expect(slotOf(text)).toMatchObject({ fileId: 1, offset: 0 });
      expect(readBack(next.engine, text).toString()).toBe("small");
    }
  }
});

test("before the checkpoint moves the zeros are flushed, a trunk file once", () => {
  const { disk, engine, names } = setUp();
  const [first = "", second = "", third = ""] = names;
  commit(engine, engine.prepareRemove(first));
  commit(engine, engine.prepareRemove(second));
  moveCheckpoint(engine);
  const before = viewOf(disk, directory).binlog.length;
  commit(engine, engine.prepareRemove(third));
  disk.powerCut();
  expect(before).toBeGreaterThan(checkpointBytes);
  expect([first, second, third].map((name) => isCleared(disk, name))).toEqual([true, true, false]);
  expectSound(disk, [], names);
});

test("where the zeros cannot be flushed the checkpoint stays, and the next start makes them again", () => {
  const { disk, engine, names, failures } = setUp();
  const [first = "", ...others] = names;
  commit(engine, engine.prepareRemove(first));
  const flush = disk.flush.bind(disk);
  let failsOnce = true;
  // As the kernel does: what was to be written is dropped, and the next flush says nothing of it.
  Object.defineProperty(disk, "flush", {
    configurable: true,
    value: (descriptor: Parameters<Files["flush"]>[0]) => {
      const isTrunkFile = disk.statDescriptor(descriptor).sizeBytes === trunkFileBytes;
      if (!isTrunkFile) flush(descriptor);
      else if (failsOnce) {
        failsOnce = false;
        throw new FileError("EIO", "EIO: injected");
      }
    },
  });
  moveCheckpoint(engine);
  expect(failures.length).toBeGreaterThan(0);
  expect(readText(disk, `${directory}/data/.cairn/state`)).toContain("binlog_offset=0\n");
  engine.close();
  expect(readText(disk, `${directory}/data/.cairn/state`)).not.toContain("clean=1");
  disk.powerCut();
  expect(isCleared(disk, first)).toBe(false);
  Object.defineProperty(disk, "flush", { value: flush });
  expectSound(disk, others, [first]);
});

test("after a clean end the zeros are on the disk", () => {
  const { disk, engine, names } = setUp();
  const [first = "", ...others] = names;
  commit(engine, engine.prepareRemove(first));
  engine.close();
  disk.powerCut();
  expect(isCleared(disk, first)).toBe(true);
  expectSound(disk, others, [first]);
});

test("a trunk file that was removed does not come back with what was deleted in it", () => {
  const { disk, engine, settle } = setUp();
  const names = Array.from({ length: 30 }, () => putPacked(engine, filled("z", 3000)));
  settle();
  const inFirst = names.filter((name) => slotOf(name).fileId === 2);
  for (const name of inFirst) commit(engine, engine.prepareRemove(name));
  settle();
  expect(disk.stat(`${directory}/data/00/00/000002`, false)).toBeUndefined();
  engine.close();
  disk.powerCut();
  expect(disk.stat(`${directory}/data/00/00/000002`, false)).toBeUndefined();
});

interface Settled {
  readonly index: number;
  offset: number;
}

function zerosOf(files: Files, flushed = true) {
  const failures: FileError[] = [];
  const position: Settled = { index: 0, offset: 100 };
  const descriptors = new TrunkDescriptors(files);
  const zeros = new UnflushedSlots({
    descriptors,
    flushed,
    onFlushFailed: (error) => {
      failures.push(error);
      zeros.distrust();
    },
    settled: () => ({ ...position }),
  });
  const flush = () => runFlushSteps(files, zeros.flush());
  return { zeros, flush, failures, position, descriptors };
}

function trunkFiles(count: number) {
  const disk = new MemoryFiles(directory);
  const paths = Array.from({ length: count }, (_, at) => `${directory}/${at}`);
  for (const path of paths) disk.close(disk.open(path, "create"));
  return { disk, paths };
}

test("each file is flushed once, a removed one's directory in its stead; what is not there is nobody's", () => {
  const { disk, paths } = trunkFiles(3);
  const troubled = new TroubledFiles(disk);
  const { zeros, flush } = zerosOf(troubled.files);
  for (const path of [...paths, ...paths]) expect(zeros.add(path)).toBe(true);
  expect(zeros.add("/disk/none")).toBe(false);
  zeros.removed(paths[0] ?? "");
  troubled.arm({ kind: "none" });
  flush();
  expect(troubled.trace.toSorted()).toEqual(["flush", "flush", "flushDirectory"]);
  flush();
  expect(troubled.trace.length).toBe(3);
  zeros.close();
});

test("without flushes nothing is remembered; with too many files deletions flush theirs", () => {
  const { disk, paths } = trunkFiles(maxUnflushedFiles + 1);
  const relaxed = zerosOf(disk, false);
  for (const path of paths) expect(relaxed.zeros.add(path)).toBe(true);
  expect(disk.openFiles).toBe(0);
  const { zeros, flush, descriptors } = zerosOf(disk);
  expect(paths.map((path) => zeros.add(path)).indexOf(false)).toBe(maxUnflushedFiles);
  flush();
  expect(zeros.add(paths.at(-1) ?? "")).toBe(true);
  zeros.close();
  descriptors.close();
  expect(disk.openFiles).toBe(0);
});

test("after a failed flush, of zeros or of anything else meanwhile, the checkpoint stays before the first of them", () => {
  const { disk, paths } = trunkFiles(2);
  const troubled = new TroubledFiles(disk);
  for (const isOwn of [true, false]) {
    const { zeros, flush, failures, position } = zerosOf(troubled.files);
    zeros.distrust();
    expect(zeros.owedSince).toBeUndefined();
    zeros.add(paths[0] ?? "");
    position.offset = 200;
    zeros.add(paths[1] ?? "");
    if (isOwn) {
      troubled.arm({ kind: "fail", atCall: 1, code: "EIO" });
      expect(flush).toThrow("EIO");
      expect(failures.length).toBe(1);
      troubled.arm({ kind: "none" });
    } else {
      zeros.distrust();
    }
    flush();
    expect(zeros.owedSince).toEqual({ index: 0, offset: 100 });
    zeros.close();
  }
});
