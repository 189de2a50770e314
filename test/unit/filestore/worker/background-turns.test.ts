import { expect, test } from "vitest";
import { BackgroundTurns } from "#filestore/worker/background-turns.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

function work(answers: (number | undefined)[]) {
  const steps: number[] = [];
  return {
    steps,
    step: (): number | undefined => {
      steps.push(steps.length);
      return answers.shift();
    },
  };
}

test("each work has its turn when its time has come, and only then", () => {
  const clock = new ManualClock();
  const quick = work([10, 10, 10]);
  const slow = work([25, 25]);
  const turns = new BackgroundTurns(clock, [quick, slow]);
  expect(turns.turn(false)).toBe(10);
  expect(turns.turn(false)).toBe(10);
  clock.advance(4);
  expect(turns.turn(true)).toBe(6);
  expect([quick.steps.length, slow.steps.length]).toEqual([1, 1]);
  clock.advance(6);
  expect(turns.turn(false)).toBe(10);
  clock.advance(15);
  expect(turns.turn(false)).toBe(10);
  expect([quick.steps.length, slow.steps.length]).toEqual([3, 2]);
});

test("a work that has nothing to do is asked again when requests were served", () => {
  const clock = new ManualClock();
  const idle = work([undefined, 5, undefined]);
  const turns = new BackgroundTurns(clock, [idle]);
  expect(turns.turn(false)).toBeUndefined();
  clock.advance(1000);
  expect(turns.turn(false)).toBeUndefined();
  expect(idle.steps.length).toBe(1);
  expect(turns.turn(true)).toBe(5);
  clock.advance(5);
  expect(turns.turn(false)).toBeUndefined();
  expect(idle.steps.length).toBe(3);
});

test("without works there is nothing to wait for", () => {
  expect(new BackgroundTurns(new ManualClock(), []).turn(true)).toBeUndefined();
});
