/** How long a disk has stood still, from counters that its worker moves. */
import { expect, test } from "vitest";
import { lookPeriodMs, PathWatch } from "#filestore/path-watch.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function stage() {
  const pulse = { calls: 0, flushing: 0, flushed: 0 };
  const clock = new ManualClock();
  const watch = new PathWatch(() => pulse, clock);
  return {
    pulse,
    clock,
    watch,
    /** Looks `count` times, a period apart; what the last look found. */
    looks(count: number, busy = true): number {
      let stillMs = 0;
      for (let look = 0; look < count; look += 1) {
        clock.advance(lookPeriodMs);
        stillMs = watch.look(busy);
      }
      return stillMs;
    },
  };
}

test("a worker with work whose calls do not end stands still", () => {
  const { pulse, looks } = stage();
  expect(looks(8)).toBe(8 * lookPeriodMs);
  pulse.calls += 1;
  expect(looks(1)).toBe(0);
  expect(looks(2)).toBe(2 * lookPeriodMs);
});

test("a worker without work does not stand still", () => {
  const { looks } = stage();
  expect(looks(8, false)).toBe(0);
});

test("flushes that do not end stand still however busy the worker is with other things", () => {
  const { pulse, looks } = stage();
  pulse.flushing = 2;
  for (let round = 0; round < 4; round += 1) {
    pulse.calls += 1;
    expect(looks(1)).toBe((round + 1) * lookPeriodMs);
  }
  pulse.flushed += 1;
  pulse.calls += 1;
  expect(looks(1)).toBe(0);
});

test("time in which nobody looked is not held against the disk", () => {
  const { clock, looks } = stage();
  clock.advance(3_600_000);
  expect(looks(1)).toBe(2 * lookPeriodMs);
});

test("a late look says that it was late, and the next one that it was not", () => {
  const { clock, looks, watch } = stage();
  clock.advance(2 * lookPeriodMs);
  looks(1);
  expect(watch.wasLate).toBe(true);
  looks(1);
  expect(watch.wasLate).toBe(false);
});
