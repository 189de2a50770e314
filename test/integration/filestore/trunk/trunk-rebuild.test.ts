/** Finding the free space of trunk files again because somebody asked for it, while the engine is used. */
import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import type { RebuildFacts } from "#filestore/trunk/trunk-facts.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { decodeBase } from "#model/file-id.ts";
import { commit, readBack, stage } from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked, walkedTrunkFiles } from "../../../support/packed-fixture.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";

const slotOf = (name: string) =>
  decodeBase(name.slice(10))?.trunk ?? { fileId: 0, offset: 0, size: 0 };
const filled = (number: number): Buffer => Buffer.alloc(700 + number, 97 + (number % 26));

/** Some trunk files with holes. */
function setUp(count = 60) {
  const files = new MemoryFiles(directory);
  const logs: LogRecord[] = [];
  const packed = openPacking({ files, directory, logs });
  const names = Array.from({ length: count }, (_, each) => putPacked(packed.engine, filled(each)));
  for (const name of names.filter((_, at) => at % 3 === 0)) {
    commit(packed.engine, packed.engine.prepareRemove(name));
  }
  packed.settle();
  const live = new Map(
    names.flatMap((name, at) => (at % 3 === 0 ? [] : [[name, filled(at)] as const])),
  );
  return { files, logs, live, ...packed };
}

/** To its end; `between` is called after each step. */
function rebuild(engine: StorePathEngine, between: (step: number) => void = () => {}) {
  const steps = engine.rebuildTrunkSpace();
  for (let number = 0; ; number += 1) {
    const step = steps.next();
    if (step.done === true) return step.value;
    between(number);
  }
}

const freeIn = (files: MemoryFiles): number =>
  Object.values(walkedTrunkFiles(files, directory))
    .flatMap(({ free }) => free.split(" "))
    .reduce((sum, extent) => sum + Number(extent.split("+")[1] ?? 0), 0);

test("it tells what it found, in files that slots are taken from as well", () => {
  const { files, engine, live } = setUp();
  const before = engine.trunkFacts;
  expect(before.rebuild).toBeUndefined();
  const found = rebuild(engine);
  const free = freeIn(files);
  expect(found).toMatchObject({
    ...{ state: "done", files: before.files, filesTotal: before.files, skipped: 0 },
    ...{ slots: live.size, freeBytesBefore: free, freeBytes: free, damagedBytes: 0, unnamed: 0 },
  } satisfies Partial<RebuildFacts>);
  expect(engine.trunkFacts).toMatchObject({ freeBytes: free, unknownFiles: 0, rebuild: found });
});

test("uploads and deletes between its steps neither fail nor get in each other's way", () => {
  const { files, engine, live } = setUp();
  const doomed = [...live.keys()].filter((_, at) => at % 2 === 0);
  const found = rebuild(engine, (step) => {
    const content = filled(100 + step);
    live.set(putPacked(engine, content), content);
    const name = doomed.pop();
    if (name === undefined) return;
    commit(engine, engine.prepareRemove(name));
    live.delete(name);
  });
  expect(found.state).toBe("done");
  for (let number = 0; number < 60; number += 1) {
    live.set(putPacked(engine, filled(number)), filled(number));
  }
  for (const [name, content] of live) expect(readBack(engine, name).equals(content)).toBe(true);
  const again = rebuild(engine);
  expect(again).toMatchObject({ slots: live.size, unnamed: 0, damagedBytes: 0 });
  expect(again.freeBytes).toBe(freeIn(files));
  expect(again.freeBytesBefore).toBe(again.freeBytes);
});

test("space that the log had lost is found again, and used", () => {
  const { files, engine, live } = setUp(200);
  engine.close();
  writeFile(files, `${directory}/data/.cairn/trunk.log`, "1 D 0 0 0 1 0 16384\n");
  const next = openPacking({ files, directory, seed: 2, firstNumber: 500 });
  next.settle();
  const found = rebuild(next.engine);
  expect(found.freeBytes).toBe(freeIn(files));
  expect(found.freeBytes).toBeGreaterThan(found.freeBytesBefore);
  const names = Array.from({ length: 8 }, (_, each) => putPacked(next.engine, filled(each)));
  expect(names.some((name) => slotOf(name).fileId < 500)).toBe(true);
  for (const [name, content] of live) {
    expect(readBack(next.engine, name).equals(content)).toBe(true);
  }
});

test("a file that an upload holds all the time is left out, and gives slots again afterwards", () => {
  const clock = new ManualClock();
  const files = new MemoryFiles(directory);
  const { engine } = openPacking({ files, directory, clock });
  putPacked(engine, filled(1));
  const change = stage(engine, { kind: "normal", extension: "txt" }, { content: "hello" });
  const found = rebuild(engine, () => clock.advance(500));
  expect(found).toMatchObject({ state: "done", files: 0, skipped: 1, filesTotal: 1 });
  engine.commit([change]);
  expect(slotOf(putPacked(engine, filled(2))).fileId).toBe(1);
});

test("one that is not run to its end says so, and another one can begin", () => {
  const { engine, live } = setUp();
  const steps = engine.rebuildTrunkSpace();
  steps.next();
  steps.next();
  expect(engine.trunkFacts.rebuild?.state).toBe("running");
  steps.return(undefined as never);
  expect(engine.trunkFacts.rebuild?.state).toBe("stopped");
  expect(rebuild(engine)).toMatchObject({ state: "done", slots: live.size, skipped: 0 });
});

test("a disk that refuses to be read ends it, and it says so", () => {
  const { files } = setUp();
  const troubled = new TroubledFiles(files);
  const logs: LogRecord[] = [];
  const next = openPacking({ files: troubled.files, directory, seed: 2, firstNumber: 500, logs });
  next.settle();
  troubled.arm({ kind: "fail", atCall: 2, code: "EIO" });
  expect(rebuild(next.engine).state).toBe("stopped");
  expect(logs.map(({ event }) => event)).toContain("trunk-rebuild-failed");
  troubled.arm({ kind: "none" });
  expect(rebuild(next.engine).state).toBe("done");
});
