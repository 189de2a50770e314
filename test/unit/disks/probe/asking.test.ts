import { expect, test } from "vitest";
import { Asking, patience } from "#disks/probe/asking.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { turns } from "../../../support/settled.ts";

async function passing(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 25) {
    clock.advance(25);
    await turns(3);
  }
}

test("who is silent is asked once, waited for once, and back when it answers", async () => {
  const clock = new ManualClock();
  const asked: string[] = [];
  const held = new Map<string, (value: number) => void>();
  const asking = new Asking<number>(clock, (name) => {
    asked.push(name);
    if (name === "good") return Promise.resolve(1);
    if (name === "bad") return Promise.reject(new Error("not for us"));
    return new Promise((resolve) => held.set(name, resolve));
  });
  const first = asking.round(["good", "bad", "slow"], 300);
  await passing(clock, 300);
  const { found, silent } = await first;
  expect([[...found], [...silent.keys()]]).toEqual([[["good", 1]], ["slow"]]);
  expect(silent.get("slow")).toBeGreaterThanOrEqual(300);
  // Nobody is waited for now.
  const second = await asking.round(["good", "slow"], 300);
  expect([...second.found]).toEqual([["good", 1]]);
  expect(asked).toEqual(["good", "bad", "slow", "good"]);
  expect(asking.stuck).toBe(1);
  held.get("slow")?.(5);
  await turns();
  expect(asking.stuck).toBe(0);
  void asking.round(["slow"], 300);
  expect(asked.at(-1)).toBe("slow");
});

test("a subject that is gone still holds its thread", async () => {
  const clock = new ManualClock();
  let release = (): void => {};
  const asking = new Asking<number>(
    clock,
    () =>
      new Promise((resolve) => {
        release = () => resolve(1);
      }),
  );
  const first = asking.round(["a"], 100);
  await passing(clock, 100);
  await first;
  expect((await asking.round([], 100)).silent.size).toBe(0);
  expect(asking.stuck).toBe(1);
  release();
  await turns();
  expect(asking.stuck).toBe(0);
});

test("a jump of the clock, on a machine that was busy, is not patience", async () => {
  const clock = new ManualClock();
  let isOver = false;
  const waiting = patience(clock, 300).then(() => {
    isOver = true;
  });
  clock.advance(1000);
  await turns();
  expect(isOver).toBe(false);
  await passing(clock, 300);
  await waiting;
  expect(isOver).toBe(true);
});
