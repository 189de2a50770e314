/** How counts grow. */
import { expect, test } from "vitest";
import { addSample, growthOf, maxSamples, type Sample, sampleOf } from "#disks/health/trend.ts";
import { smartOf } from "../../../support/disk-health.ts";

const day = 24 * 3600;

function daily(...reallocated: readonly number[]): readonly Sample[] {
  return reallocated.map((count, at) => ({ at: at * day, reallocated: count }));
}

test("growth is that since a week ago", () => {
  const samples = daily(0, 50, 51, 52, 53, 54, 55, 56, 57);
  expect(growthOf(samples, { at: 8 * day + 1, reallocated: 60 })).toEqual({ reallocated: 10 });
});

test("a disk that is known for a day has grown since then", () => {
  expect(growthOf(daily(1), { at: day, reallocated: 4, pending: 2 })).toEqual({ reallocated: 3 });
});

test("what fell, or is new, did not grow", () => {
  expect(growthOf([], { at: 1, reallocated: 5 })).toEqual({});
  expect(growthOf(daily(9), { at: day, reallocated: 5 })).toEqual({});
  expect(growthOf(daily(9), { at: day })).toEqual({});
});

test("one sample a day is kept, for two months", () => {
  let samples: readonly Sample[] = [];
  for (let at = 0; at < 100 * day; at += day / 4) samples = addSample(samples, { at });
  expect(samples).toHaveLength(maxSamples);
  expect(samples.at(-1)?.at).toBe(99 * day);
});

test("samples of a clock that ran ahead are dropped", () => {
  expect(addSample(daily(1, 2, 3), { at: day, reallocated: 9 })).toEqual(daily(1, 2));
});

test("a sample has the counts that the disk tells", () => {
  expect(sampleOf(smartOf({ pending: 3, uncorrectable: undefined }), 7)).toEqual({
    ...{ at: 7, reallocated: 0, timeouts: 0, pending: 3, offlineUncorrectable: 0 },
    transferErrors: 0,
  });
});
