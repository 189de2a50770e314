import { expect, test } from "vitest";
import { Gathering } from "#sync/gathering.ts";
import { ManualClock } from "../../support/manual-clock.ts";

test("the first look is at once, the next one waits for a moment and comes by itself", () => {
  const clock = new ManualClock();
  let looks = 0;
  const gathering = new Gathering(clock, () => {
    looks += 1;
  });
  expect(gathering.waits()).toBe(false);
  gathering.found();
  expect([gathering.waits(), gathering.waits()]).toEqual([true, true]);
  clock.advance(19);
  expect(looks).toBe(0);
  clock.advance(1);
  expect([looks, gathering.waits()]).toEqual([1, false]);
});

test("what is stopped comes no more, and begins at once", () => {
  const clock = new ManualClock();
  let looks = 0;
  const gathering = new Gathering(clock, () => {
    looks += 1;
  });
  gathering.found();
  gathering.waits();
  gathering.stop();
  expect(gathering.waits()).toBe(false);
  clock.advance(100);
  expect(looks).toBe(0);
});
