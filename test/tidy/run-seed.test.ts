/** The seed that random tests begin with. */
import { expect, test } from "vitest";
import { runSeed, seedOf } from "../support/run-seed.ts";

test("runs have the same seed, one that is named, or a random one", () => {
  expect(seedOf(undefined, () => 0.5)).toBe(1);
  expect(seedOf("", () => 0.5)).toBe(1);
  expect(seedOf("-815282990", () => 0.5)).toBe(-815_282_990);
  expect(seedOf("random", () => 0.5)).toBe(500_000_000);
  expect(() => seedOf("rnadom", () => 0.5)).toThrow(
    'CAIRN_SEED=rnadom: give a whole number, or "random"',
  );
  expect(Number.isSafeInteger(runSeed)).toBe(true);
});
