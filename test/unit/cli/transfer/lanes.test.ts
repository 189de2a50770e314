/** How a download is cut into stretches. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  areWhole,
  type Lane,
  leastLaneBytes,
  maxLanes,
  planLanes,
  replanLanes,
  restOf,
} from "#cli/transfer/lanes.ts";

const mebibyte = leastLaneBytes;

test("a plan covers everything once, in stretches that are worth it", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.integer({ min: 1, max: 99 }), (total, count) => {
      const lanes = planLanes(total, count);
      expect(areWhole(lanes, total)).toBe(true);
      expect(lanes.length).toBeLessThanOrEqual(Math.min(count, maxLanes));
      if (lanes.length > 1) {
        for (const lane of lanes) expect(restOf(lane)).toBeGreaterThan(mebibyte / 2);
      }
    }),
  );
  expect(planLanes(4 * mebibyte, 4)).toHaveLength(4);
  expect(planLanes(mebibyte, 4)).toHaveLength(1);
  expect(planLanes(0, 4)).toEqual([{ start: 0, end: 0, done: 0 }]);
});

const progressed = fc
  .tuple(
    fc.nat(2 ** 30),
    fc.integer({ min: 1, max: 8 }),
    fc.array(fc.nat(1000), { minLength: 8, maxLength: 8 }),
  )
  .map(([total, count, parts]) => ({
    total,
    lanes: planLanes(total, count).map(
      (lane, at): Lane => ({
        ...lane,
        done: Math.floor(((lane.end - lane.start) * (parts[at] ?? 0)) / 1000),
      }),
    ),
  }));

test("what is missing is planned anew without losing or repeating a byte", () => {
  fc.assert(
    fc.property(progressed, fc.integer({ min: 1, max: 16 }), ({ total, lanes }, count) => {
      const plan = replanLanes(lanes, count);
      const finished = lanes.filter((lane) => restOf(lane) === 0);
      expect(areWhole([...finished, ...plan], total)).toBe(true);
      const before = lanes.reduce((sum, lane) => sum + restOf(lane), 0);
      expect(plan.reduce((sum, lane) => sum + restOf(lane), 0)).toBe(before);
      expect(plan.every((lane) => restOf(lane) > 0)).toBe(true);
    }),
  );
});

test("the longest rest is split while there are too few stretches", () => {
  const lanes = [
    { start: 0, end: 8 * mebibyte, done: 2 * mebibyte },
    { start: 8 * mebibyte, end: 10 * mebibyte, done: 2 * mebibyte },
  ];
  expect(replanLanes(lanes, 2)).toEqual([
    { start: 0, end: 5 * mebibyte, done: 2 * mebibyte },
    { start: 5 * mebibyte, end: 8 * mebibyte, done: 0 },
  ]);
  expect(replanLanes(lanes, 1)).toEqual([lanes[0]]);
});

test.each([
  [[{ start: 0, end: 5, done: 0 }], 6],
  [[{ start: 1, end: 6, done: 0 }], 6],
  [[{ start: 0, end: 6, done: 7 }], 6],
  [[{ start: 0, end: 6, done: -1 }], 6],
  [
    [
      { start: 0, end: 4, done: 0 },
      { start: 3, end: 6, done: 0 },
    ],
    6,
  ],
])("%j is not the whole of %i bytes", (lanes, total) => {
  expect(areWhole(lanes, total)).toBe(false);
});
