/** Numbers about rounds. */
import { expect, test } from "vitest";
import { knownMedian, median } from "#cli/bench/statistics.ts";

test("the median is the middle, or between the two middle ones", () => {
  expect([median([3]), median([9, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([
    ...[3, 2, 2.5],
    undefined,
  ]);
});

test("what is not known is left out", () => {
  expect(knownMedian([undefined, 5, undefined, 1, 3])).toBe(3);
  expect(knownMedian([undefined])).toBeUndefined();
});
