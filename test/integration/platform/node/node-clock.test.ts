/** The real clock, as far as it can be checked without waiting long. */
import { expect, test } from "vitest";
import { delay } from "#platform/clock.ts";
import { nodeClock } from "#platform/node/node-clock.ts";

test("both clocks go on, and a delay takes its time", async () => {
  const wall = nodeClock.nowMs();
  const start = nodeClock.monotonicMs();
  await delay(nodeClock, 20);
  expect(nodeClock.monotonicMs() - start).toBeGreaterThanOrEqual(19);
  expect(Math.abs(wall - Date.now())).toBeLessThan(10_000);
});

test("a period repeats until it is cancelled", async () => {
  let count = 0;
  const timer = nodeClock.every(2, () => {
    count += 1;
    if (count === 3) timer.cancel();
  });
  await delay(nodeClock, 60);
  expect(count).toBe(3);
});

test("a cancelled timer never runs", async () => {
  let ran = false;
  nodeClock
    .after(1, () => {
      ran = true;
    })
    .cancel();
  await delay(nodeClock, 20);
  expect(ran).toBe(false);
});
