import { expect, test } from "vitest";
import { ByteBudget, hoursOpen, isWholeDay } from "#sync/sync-pace.ts";

test("hours go from the begin of the first minute to the end of the last, also over midnight", () => {
  const day = { startMinute: 60, endMinute: 120 };
  expect([59, 60, 120, 121].map((minute) => hoursOpen(day, minute))).toEqual([
    false,
    true,
    true,
    false,
  ]);
  const night = { startMinute: 1380, endMinute: 30 };
  expect([1379, 1380, 0, 30, 31].map((minute) => hoursOpen(night, minute))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
});

test("hours without a gap are the whole day", () => {
  expect(isWholeDay({ startMinute: 0, endMinute: 1439 })).toBe(true);
  expect(isWholeDay({ startMinute: 600, endMinute: 599 })).toBe(true);
  expect(isWholeDay({ startMinute: 0, endMinute: 1438 })).toBe(false);
});

test("over a while no more goes out than the limit and a second's worth", () => {
  const budget = new ByteBudget(1000);
  let nowMs = 5000;
  let sent = 0;
  for (let turn = 0; turn < 100; turn += 1) {
    nowMs += budget.take(500, nowMs);
    sent += 500;
  }
  expect(sent).toBeLessThanOrEqual(nowMs - 5000 + 2000);
  expect(nowMs).toBeGreaterThan(5000 + 45_000);
});

test("what was not used long ago is not saved up, and 0 limits nothing", () => {
  const budget = new ByteBudget(1000);
  expect(budget.take(1000, 100_000)).toBe(0);
  expect(budget.take(1000, 100_000)).toBe(0);
  expect(budget.take(1000, 100_000)).toBe(1000);
  expect(new ByteBudget(0).take(1e12, 5)).toBe(0);
});
