/** Who may read from which disk without waking it. */
import { expect, test } from "vitest";
import { DiskActivity } from "#disks/activity.ts";
import type { BlockCounters } from "#disks/health/block-counters.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const minute = 60_000;

function counters(differs: Partial<BlockCounters> = {}): BlockCounters {
  const zeros = { reads: 0, readMs: 0, writes: 0, writeMs: 0, flushes: 0, flushMs: 0 };
  return { name: "sda", sequence: 1, ...zeros, inFlight: 0, suspended: false, ...differs };
}

function stage(options: { readonly rotational?: boolean; readonly canAsk?: boolean } = {}) {
  const { rotational = true, canAsk = true } = options;
  const clock = new ManualClock();
  const activity = new DiskActivity(clock);
  const wanted: string[] = [];
  activity.onWanted = (name) => wanted.push(name);
  activity.setDisks([{ name: "sda", rotational }], () => canAsk);
  activity.looked([counters()]);
  return { clock, activity, wanted };
}

test("a disk that was used in the last minutes is awake", () => {
  const { activity, clock } = stage();
  clock.advance(4 * minute);
  expect([activity.stateOf("sda"), activity.mayRead("sda")]).toEqual(["awake", true]);
  activity.looked([counters({ reads: 1 })]);
  clock.advance(4 * minute);
  expect(activity.mayRead("sda")).toBe(true);
  expect(activity.idleMs("sda")).toBe(4 * minute);
});

test("a disk that rested may be asleep: it is asked once, and left alone meanwhile", () => {
  const { activity, clock, wanted } = stage();
  clock.advance(5 * minute);
  expect(activity.stateOf("sda")).toBe("unknown");
  expect([activity.mayRead("sda"), activity.mayRead("sda")]).toEqual([false, false]);
  expect(wanted).toEqual(["sda"]);
  clock.advance(30_000);
  activity.mayRead("sda");
  expect(wanted).toEqual(["sda", "sda"]);
});

test("a disk that says it is awake may be read, for a minute", () => {
  const { activity, clock } = stage();
  clock.advance(60 * minute);
  activity.told("sda", false);
  expect(activity.mayRead("sda")).toBe(true);
  clock.advance(minute);
  expect(activity.mayRead("sda")).toBe(false);
});

test("a disk that sleeps does so until something is asked of it", () => {
  const { activity, clock, wanted } = stage();
  activity.told("sda", true);
  clock.advance(24 * 60 * minute);
  activity.looked([counters()]);
  expect([activity.stateOf("sda"), activity.mayRead("sda"), wanted]).toEqual([
    ...["asleep", false, []],
  ]);
  activity.looked([counters({ writes: 1 })]);
  expect([activity.stateOf("sda"), activity.mayRead("sda")]).toEqual(["awake", true]);
});

test("a request under way is a use", () => {
  const { activity, clock } = stage();
  activity.told("sda", true);
  activity.looked([counters({ inFlight: 1 })]);
  clock.advance(minute);
  expect(activity.stateOf("sda")).toBe("awake");
});

test("what the kernel put to sleep sleeps", () => {
  const { activity, clock } = stage();
  clock.advance(minute);
  activity.looked([counters({ suspended: true })]);
  expect(activity.mayRead("sda")).toBe(false);
});

test("a disk without moving parts, and one that cannot be asked, may always be read", () => {
  for (const { activity, clock } of [stage({ rotational: false }), stage({ canAsk: false })]) {
    clock.advance(60 * minute);
    expect([activity.stateOf("sda"), activity.mayRead("sda")]).toEqual(["awake", true]);
  }
});

test("another disk under the same name is awake", () => {
  const { activity } = stage();
  activity.told("sda", true);
  activity.looked([counters({ sequence: 2 })]);
  expect(activity.stateOf("sda")).toBe("awake");
});

test("a disk that is gone, or was never there, hinders nobody", () => {
  const { activity } = stage();
  activity.told("sda", true);
  activity.setDisks([], () => true);
  activity.told("sda", true);
  activity.looked([counters()]);
  expect([activity.stateOf("sda"), activity.mayRead("sda"), activity.idleMs("sda")]).toEqual([
    ...["unknown", true, 0],
  ]);
});
