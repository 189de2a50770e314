/** The times in names of a store path, over its restarts, its crashes, and changes that fail. */
import { expect, test } from "vitest";
import { makeNameMemory, NameClock, NameWords } from "#filestore/name-clock.ts";
import { NameTimes, noteAheadSeconds } from "#filestore/worker/name-times.ts";
import { decodeTimestamp } from "#model/file-id.ts";
import { commit, openEngine, put, runSteps, stage } from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

const normal = { kind: "normal", extension: "txt" } as const;
const start = 1_700_000_000;

/** A clock that can be set. */
class SetClock extends ManualClock {
  offsetMs = 0;
  override nowMs(): number {
    return super.nowMs() + this.offsetMs;
  }
}

function timeOf(name: string): number {
  return decodeTimestamp(name.split("/").at(-1) ?? "") ?? 0;
}

function world(files = new MemoryFiles("/disk"), durability: "flushed" | "relaxed" = "flushed") {
  const clock = new SetClock();
  const open = () => {
    const names = new NameClock(clock);
    const engine = openEngine({
      ...{ files, directory: "/disk", clock, settings: { durability } },
      nameMemory: names.memory,
    });
    return { engine, tell: () => names.tell([0]) };
  };
  return { files, clock, open };
}

test("after a crash names go on behind everything that was told, though the clock is years behind", () => {
  for (const durability of ["flushed", "relaxed"] as const) {
    const { files, clock, open } = world(undefined, durability);
    const first = open();
    clock.advance(7000);
    expect(timeOf(put(first.engine, normal, "one"))).toBe(start + 7);
    clock.advance(8000);
    expect(first.tell()).toBe(start + noteAheadSeconds);
    put(first.engine, normal, "two");
    expect(first.tell()).toBe(start + 15);
    clock.advance(3000);
    const told = first.tell();
    expect(told).toBe(start + 18);
    clock.offsetMs = -3 * 365 * 86_400_000;
    if (durability === "flushed") files.powerCut();
    const second = open();
    const time = timeOf(put(second.engine, normal, "three"));
    expect(time).toBeGreaterThanOrEqual(told);
    expect(time).toBeLessThanOrEqual(told + noteAheadSeconds);
    clock.advance(60_000);
    expect(timeOf(put(second.engine, normal, "four"))).toBe(time + 60);
  }
});

test("after an orderly end they go on where they were", () => {
  const { clock, open } = world();
  const first = open();
  clock.advance(5000);
  put(first.engine, normal, "one");
  const told = first.tell();
  first.engine.close();
  clock.offsetMs = -86_400_000;
  expect(timeOf(put(open().engine, normal, "two"))).toBe(told);
});

test("a clock that was years ahead for a moment leaves its times behind, once a second", () => {
  const { clock, open } = world();
  const { engine } = open();
  clock.offsetMs = 10 * 365 * 86_400_000;
  const ahead = timeOf(put(engine, normal, "one"));
  clock.offsetMs = 0;
  clock.advance(2000);
  put(engine, normal, "two");
  clock.advance(5000);
  expect(timeOf(put(engine, normal, "three")) - ahead).toBe(5);
});

test("records of peers do not move this node's clock", () => {
  const { files, clock, open } = world();
  open().engine.close();
  const descriptor = files.open("/disk/data/sync/binlog.000", "append");
  files.write(
    descriptor,
    Buffer.from(`${start + 9999} c M00/00/00/CgkAAmsDxeqAM0nJAAAABMQ-qQA067.txt\n`),
  );
  files.close(descriptor);
  clock.advance(1000);
  expect(timeOf(put(open().engine, normal, "one"))).toBe(start + 1);
});

test("whatever becomes of a new file, nothing keeps the clock back afterwards", () => {
  for (const durability of ["flushed", "relaxed"] as const) {
    for (const dedup of [false, true]) {
      const files = new MemoryFiles("/disk");
      const clock = new SetClock();
      const memory = makeNameMemory();
      const words = new NameWords(memory);
      const settings = { durability, dedup };
      const engine = openEngine({ files, directory: "/disk", clock, nameMemory: memory, settings });
      const left = (): number => words.oldestUnrecorded(0);
      const staged = stage(engine, normal, { content: "one" });
      expect(left()).toBe(start);
      const name = commit(engine, staged);
      expect(left()).toBe(0);
      const handle = engine.startWrite(normal, 10);
      handle.write(Buffer.from("0123456789"));
      handle.abort();
      expect(left()).toBe(0);
      const estimate = engine.startWrite(normal, 4, false);
      estimate.write(Buffer.from("0123"));
      estimate.write(Buffer.from("more"));
      commit(engine, estimate.finish());
      expect(left()).toBe(0);
      const refused = stage(engine, normal, { content: "refused" });
      engine.refuse([refused], new Error("no") as never);
      expect(left()).toBe(0);
      const appender = put(engine, { kind: "appender", extension: "log" }, "text");
      commit(engine, runSteps(engine.regenerate(appender)));
      engine
        .regenerate(put(engine, { kind: "appender", extension: "log" }, "x"))
        .return(undefined as never);
      const link = { source: name, extension: "txt", master: "", prefix: "" };
      commit(engine, runSteps(engine.link(link)));
      expect(left()).toBe(0);
    }
  }
});

test("times that were taken are counted until they are given back", () => {
  const clock = new ManualClock();
  const times = new NameTimes({ clock, memory: undefined, storePathIndex: 0, start: 5 });
  const taken = [times.take(), times.take()];
  expect(times.unrecorded).toBe(2);
  for (const ms of taken) times.give(ms);
  expect(times.unrecorded).toBe(0);
  expect(times.lastLimit).toBe(start);
});
