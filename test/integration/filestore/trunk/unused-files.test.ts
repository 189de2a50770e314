/** Trunk files of peers and of a trunk server, when the last file in them is deleted. */
import { expect, test } from "vitest";
import type { Packing } from "#filestore/packing.ts";
import type { Durability } from "#filestore/settings.ts";
import { unusedBeforeMs, upkeepPauseMs } from "#filestore/trunk/limits.ts";
import type { Files } from "#platform/files.ts";
import { commit, openEngine, put, readBack, viewOf } from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { runBackground, smallPacking } from "../../../support/packed-fixture.ts";
import {
  codeOf,
  peerName,
  peerTime,
  remove,
  replicate,
  stageReplica,
} from "../../../support/replica-stage.ts";
import { seededRandom } from "../../../support/seeded-random.ts";
import { Stopped, TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";
const mib = 1024 * 1024;
const served: Packing = { ...smallPacking, mode: "served", trunkFileBytes: 3 * mib };

function packed(content: string, offset: number, fileId = 7) {
  const trunk = { fileId, offset, size: 256 };
  return { name: peerName(content, { trunk }), content };
}

function pathOf(fileId = 7): string {
  return `${directory}/data/01/02/00000${fileId}`;
}

function open(files: Files, packing: Packing = served, durability: Durability = "flushed") {
  const clock = new ManualClock();
  const logs: { readonly event: string }[] = [];
  const engine = openEngine({
    ...{ files, directory, clock, logs: logs as never },
    settings: { durability, packing: "on" },
  });
  engine.setPacking(packing);
  const settle = (): void => runBackground(engine, clock);
  settle();
  return { engine, clock, logs, settle };
}

function isThere(files: Files, fileId = 7): boolean {
  return files.stat(pathOf(fileId), false) !== undefined;
}

test("a peer's trunk file goes with the last file in it, and comes back with the next one", () => {
  for (const mode of ["leased", "served"] as const) {
    const files = new MemoryFiles(directory);
    const { engine, settle } = open(files, { ...served, mode });
    const [one, two] = [packed("one", 0), packed("two", 2 * mib)] as const;
    const other = packed("another trunk file's", 0, 8);
    for (const each of [one, two, other]) replicate(engine, each);
    remove(engine, one.name, peerTime + 1);
    settle();
    expect(isThere(files)).toBe(true);
    remove(engine, two.name, peerTime + 2);
    settle();
    expect([isThere(files), isThere(files, 8)]).toEqual([false, true]);
    expect(codeOf(() => readBack(engine, two.name))).toBe("file-missing");
    const next = { ...packed("next", 0), timestamp: peerTime + 9 };
    replicate(engine, next);
    settle();
    expect([next, other].map(({ name }) => readBack(engine, name).toString())).toEqual([
      "next",
      "another trunk file's",
    ]);
  }
});

test("where they are to stay, they stay, until that is said otherwise and something is deleted in them", () => {
  const files = new MemoryFiles(directory);
  const { engine, settle } = open(files, { ...served, removesUnused: false });
  const [one, two] = [packed("one", 0), packed("two", 256)] as const;
  for (const each of [one, two]) replicate(engine, each);
  remove(engine, one.name, peerTime + 1);
  settle();
  engine.setPacking(served);
  settle();
  expect(isThere(files)).toBe(true);
  remove(engine, two.name, peerTime + 1);
  settle();
  expect(isThere(files)).toBe(false);
});

test("what was deleted just before the end is looked after at the next start, once it is known that it may be", () => {
  const files = new MemoryFiles(directory);
  const { engine } = open(files);
  const one = packed("one", 0);
  replicate(engine, one);
  remove(engine, one.name, peerTime + 1);
  engine.close();
  expect(isThere(files)).toBe(true);
  const clock = new ManualClock();
  const next = openEngine({ files, directory, clock, settings: { packing: "on" } });
  runBackground(next, clock);
  expect(isThere(files)).toBe(true);
  next.setPacking(served);
  runBackground(next, clock);
  expect(isThere(files)).toBe(false);
});

test("a trunk file stays while somebody has a slot in it, and goes when nothing came of that", () => {
  const files = new MemoryFiles(directory);
  const { engine, settle } = open(files);
  const slot = { high: 1, low: 2, fileId: 7, offset: 4096, size: 256 };
  const target = { kind: "slot", extension: "txt", slot } as const;
  for (const isStored of [true, false]) {
    const one = { ...packed("one", isStored ? 0 : 1024), timestamp: peerTime };
    replicate(engine, one);
    const handle = engine.startWrite(target, 5);
    remove(engine, one.name, peerTime + 1);
    settle();
    expect(isThere(files)).toBe(true);
    handle.write(Buffer.from("hello"));
    if (!isStored) {
      handle.abort();
      settle();
      expect(isThere(files)).toBe(false);
      continue;
    }
    const name = commit(engine, handle.finish());
    settle();
    expect(readBack(engine, name).toString()).toBe("hello");
    commit(engine, engine.prepareRemove(name));
    settle();
    expect(isThere(files)).toBe(false);
  }
  // A peer's file that is received, and not committed yet.
  const [one, two] = [packed("1", 0), packed("2", 256)] as const;
  replicate(engine, one);
  const change = stageReplica(engine, two);
  remove(engine, one.name, peerTime + 1);
  settle();
  expect(commit(engine, change)).toBe("");
  settle();
  expect(readBack(engine, two.name).toString()).toBe("2");
});

test("a slot that is taken while its trunk file is looked through keeps it", () => {
  const files = new MemoryFiles(directory);
  const { engine, clock, settle } = open(files);
  const one = packed("one", 0);
  replicate(engine, one);
  remove(engine, one.name, peerTime + 1);
  const waitMs = engine.background.turn(true);
  expect(waitMs).toBe(unusedBeforeMs);
  clock.advance(unusedBeforeMs);
  engine.background.turn(false);
  clock.advance(upkeepPauseMs);
  const slot = { high: 1, low: 2, fileId: 7, offset: 0, size: 256 };
  const name = put(engine, { kind: "slot", extension: "txt", slot }, "behind the look");
  settle();
  expect(readBack(engine, name).toString()).toBe("behind the look");
});

test("what is damaged stays, and is not looked through again for each deletion elsewhere", () => {
  const files = new MemoryFiles(directory);
  const troubled = new TroubledFiles(files);
  const { engine, settle } = open(troubled.files);
  const kept = packed("kept", 1024);
  const others = [0, 256, 512, 2 * mib].map((offset) => packed(`at ${offset}`, offset));
  for (const each of [kept, ...others]) replicate(engine, each);
  const looks = others.map(({ name }) => {
    remove(engine, name, peerTime + 1);
    troubled.arm({ kind: "none" });
    settle();
    return troubled.trace.filter((call) => call === "read").length;
  });
  // The first three take away what is found next.
  expect(looks).toEqual([1, 1, 1, 0]);
  const descriptor = files.open(pathOf(), "read-write");
  files.write(descriptor, Buffer.from("x"), 3 * mib - 1);
  files.close(descriptor);
  remove(engine, kept.name, peerTime + 1);
  settle();
  expect(isThere(files)).toBe(true);
});

test("a file of our own is not one of them", () => {
  const files = new MemoryFiles(directory);
  const { engine, settle } = open(files, { ...smallPacking, removesUnused: true });
  engine.addTrunkLease(1, 4);
  const name = put(engine, { kind: "normal", extension: "txt" }, "own");
  commit(engine, engine.prepareRemove(name));
  settle();
  // Slots are taken from it, so it is kept.
  const again = put(engine, { kind: "normal", extension: "txt" }, "own again");
  expect(again.slice(0, 10)).toBe(name.slice(0, 10));
  expect(readBack(engine, again).toString()).toBe("own again");
});

/**
 * Goal: wherever a kill or a power cut comes between a deletion and the end of its trunk file, what was not deleted is there, what was is not,
 * and the next run ends what was begun. Method: stops at every file call in turn.
 */
test("interrupted at any call, a trunk file goes in the next run, and with it nothing else", () => {
  const one = packed("one", 0);
  const other = packed("other", 0, 8);
  const durabilities = ["relaxed", "flushed"] as const;
  for (const durability of durabilities) {
    const prepare = (files: MemoryFiles) => {
      const troubled = new TroubledFiles(files);
      const opened = open(troubled.files, served, durability);
      for (const each of [one, other]) replicate(opened.engine, each);
      return { ...opened, troubled };
    };
    const run = ({ engine, settle }: ReturnType<typeof prepare>): void => {
      remove(engine, one.name, peerTime + 1);
      settle();
      engine.close();
    };
    const undisturbed = prepare(new MemoryFiles(directory));
    undisturbed.troubled.arm({ kind: "none" });
    run(undisturbed);
    const calls = undisturbed.troubled.count;
    for (let atCall = 1; atCall <= calls; atCall += 1) {
      for (const seed of durability === "flushed" ? [0, 1, 2, 3] : [0]) {
        const files = new MemoryFiles(directory);
        const stage = prepare(files);
        stage.troubled.arm({ kind: "stop", atCall });
        expect(() => run(stage)).toThrow(Stopped);
        if (seed > 0) files.powerCut(seed === 1 ? undefined : seededRandom(seed));
        const { engine, settle } = open(files, served, durability);
        const where = `${durability}, call ${atCall} (${stage.troubled.trace.at(-1)}), seed ${seed}`;
        const isDeleted = viewOf(files, directory).binlog.includes(` d ${one.name}`);
        expect(readBack(engine, other.name).toString(), where).toBe("other");
        if (isDeleted)
          expect(
            codeOf(() => readBack(engine, one.name)),
            where,
          ).toBe("file-missing");
        else {
          expect(readBack(engine, one.name).toString(), where).toBe("one");
          remove(engine, one.name, peerTime + 1);
          settle();
        }
        expect([isThere(files), isThere(files, 8)], where).toEqual([false, true]);
        engine.close();
      }
    }
  }
});
