/** Each kind of end that a run can have, and what the next start makes of it. */
import { expect, test } from "vitest";
import type { EngineState } from "#filestore/formats/engine-state.ts";
import type { RecheckNote } from "#filestore/formats/recheck-note.ts";
import { type FoundAtOpening, planRecheck } from "#filestore/worker/recheck/plan-recheck.ts";

const end = { index: 0, offset: 1000 };
const settled = { position: { index: 0, offset: 400 }, since: 1_700_000_000 };
const flushedState: EngineState = {
  version: 1,
  subdirCount: 16,
  checkpoint: { index: 0, offset: 900 },
  clean: false,
};
const relaxedState: EngineState = { ...flushedState, settled };
const note: RecheckNote = {
  why: "power-cut",
  since: 1_600_000_000,
  tail: { index: 0, offset: 300 },
  isTailDone: true,
  walks: true,
  leavesDone: 77,
  lost: 3,
};

function plan(found: Partial<FoundAtOpening>): RecheckNote | undefined {
  return planRecheck({
    ...{ state: relaxedState, end, note: undefined, flushed: false, fallbackSince: 5 },
    mounting: "boot:17",
    ...found,
  });
}

test("the first start, and every end of a run that flushed, leave nothing in doubt", () => {
  expect(plan({ state: undefined })).toBe(undefined);
  for (const clean of [true, false]) {
    expect(plan({ state: { ...flushedState, clean }, flushed: true })).toBe(undefined);
  }
  expect(plan({ state: { ...flushedState, clean: true } })).toBe(undefined);
  expect(plan({ state: "damaged", flushed: true })).toBe(undefined);
});

test("after an end without order, where nothing was flushed, all files are looked at", () => {
  const expected = {
    ...{ why: "power-cut", since: settled.since, tail: settled.position },
    ...{ isTailDone: false, walks: true, leavesDone: 0, lost: 0 },
  };
  expect(plan({})).toEqual(expected);
  // Also where this run flushes.
  expect(plan({ flushed: true })).toEqual(expected);
});

test("after an orderly end only what was stored last is looked at, and nothing after a rest", () => {
  const state = { ...relaxedState, clean: true };
  expect(plan({ state })).toMatchObject({ tail: settled.position, walks: false });
  const rested = { ...state, settled: { ...settled, position: end } };
  expect(plan({ state: rested })).toBe(undefined);
});

test("a binlog that ends before what was noted of it is lost, in either mode and after any end", () => {
  const short = { index: 0, offset: 899 };
  for (const clean of [true, false]) {
    for (const state of [flushedState, relaxedState]) {
      for (const flushed of [true, false]) {
        const found = plan({ state: { ...state, clean }, end: short, flushed });
        expect(found).toMatchObject({ why: "binlog-lost", walks: true });
      }
    }
  }
  // Where everything was flushed no content is read.
  const flushed = plan({ state: flushedState, end: short, flushed: true });
  expect(flushed?.since).toBeGreaterThan(2 ** 33);
  const before = { index: 0, offset: 200 };
  expect(plan({ end: before })?.tail).toEqual(before);
});

test("without a legible state what is younger than the newest records is in doubt", () => {
  expect(plan({ state: "damaged" })).toMatchObject({ since: 5, tail: end, walks: true });
});

test("what an earlier start was not done with goes on", () => {
  const clean = { ...relaxedState, clean: true, settled: { ...settled, position: end } };
  expect(plan({ state: clean, note })).toEqual(note);
  expect(plan({ state: flushedState, flushed: true, note })).toEqual(note);
  expect(plan({ state: clean, note: "damaged" })).toMatchObject({
    ...{ why: "binlog-lost", since: 5, walks: true, leavesDone: 0 },
  });
});

test("a further doubt counts from the earlier time on, and a walk begins anew", () => {
  const lost = { ...note, why: "binlog-lost" } as const;
  expect(plan({ note: lost })).toEqual({
    ...{ why: "binlog-lost", since: note.since, tail: settled.position },
    ...{ isTailDone: false, walks: true, leavesDone: 0, lost: 3 },
  });
  expect(plan({ note: { ...note, isTailDone: false } })?.tail).toEqual(note.tail);
  const state = { ...relaxedState, clean: true };
  expect(plan({ state, note })).toMatchObject({ walks: true, leavesDone: 77, isTailDone: false });
});

test("while a file system stays mounted no end of a run leaves anything in doubt", () => {
  const through = (mounting: string) => ({ ...relaxedState, settled: { ...settled, mounting } });
  for (const clean of [true, false]) {
    for (const flushed of [true, false]) {
      const state = { ...through("boot:17"), clean };
      expect(plan({ state, flushed })).toBe(undefined);
      expect(plan({ state, flushed, note })).toEqual(note);
      for (const other of ["boot:18", undefined]) {
        expect(plan({ state, flushed, mounting: other })).toMatchObject({ why: "power-cut" });
      }
    }
  }
  // Nobody told either time: that is not the same.
  expect(plan({ mounting: undefined })).toMatchObject({ why: "power-cut" });
  // The binlog was cut by somebody else.
  const end = { index: 0, offset: 899 };
  expect(plan({ state: through("boot:17"), end })).toMatchObject({ why: "binlog-lost" });
  expect(plan({ state: "damaged" })).toMatchObject({ why: "power-cut" });
});
