import { expect, test } from "vitest";
import { type Clock, delay, nowSeconds } from "#platform/clock.ts";

/** A clock whose timers run when the test says so. */
function heldClock(nowMs: number) {
  const waiting = new Map<() => void, number>();
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: (delayMs, task) => {
      waiting.set(task, delayMs);
      return { cancel: () => waiting.delete(task) };
    },
    every: () => ({ cancel: () => {} }),
  };
  return { clock, waiting };
}

test("seconds are whole and rounded down", () => {
  expect([1999, 2000].map((ms) => nowSeconds(heldClock(ms).clock))).toEqual([1, 2]);
});

test("a delay ends with its timer", async () => {
  const { clock, waiting } = heldClock(0);
  const waited = delay(clock, 250, new AbortController().signal);
  const [[task, delayMs] = []] = [...waiting];
  expect(delayMs).toBe(250);
  task?.();
  await expect(waited).resolves.toBeUndefined();
});

test("an abort ends a delay with its reason and takes the timer away", async () => {
  const { clock, waiting } = heldClock(0);
  const controller = new AbortController();
  const waited = delay(clock, 250, controller.signal);
  controller.abort(new Error("stop"));
  await expect(waited).rejects.toThrow("stop");
  expect(waiting.size).toBe(0);
});

test("a delay that is aborted before it begins starts no timer", async () => {
  const { clock, waiting } = heldClock(0);
  await expect(delay(clock, 250, AbortSignal.abort(new Error("late")))).rejects.toThrow("late");
  expect(waiting.size).toBe(0);
});
