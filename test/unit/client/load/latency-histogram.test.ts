/** Percentiles without samples. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LatencyHistogram } from "#client/load/latency-histogram.ts";

/** The true one. */
function exactPercentile(times: readonly number[], percent: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted[Math.max(1, Math.ceil((sorted.length * percent) / 100)) - 1] as number;
}

const times = fc.array(fc.double({ min: 0, max: 200_000, noNaN: true }), {
  minLength: 1,
  maxLength: 200,
});

test("a percentile is the true one, or at most 1/64 and an eighth of a microsecond above it", () => {
  fc.assert(
    fc.property(times, fc.constantFrom(0.1, 50, 90, 99, 99.9, 100), (list, percent) => {
      const histogram = new LatencyHistogram();
      for (const ms of list) histogram.record(ms);
      const exact = exactPercentile(list, percent);
      const found = histogram.percentileMs(percent);
      expect(found).toBeGreaterThanOrEqual(exact - 1 / 8000);
      expect(found).toBeLessThanOrEqual(exact * (1 + 1 / 64) + 1 / 8000);
    }),
  );
});

test("count, mean and maximum are exact", () => {
  const histogram = new LatencyHistogram();
  for (const ms of [1, 2, 6]) histogram.record(ms);
  expect([histogram.count, histogram.meanMs, histogram.maxMs]).toEqual([3, 3, 6]);
  expect(histogram.percentileMs(100)).toBe(6);
});

test("without times everything is 0", () => {
  const histogram = new LatencyHistogram();
  expect([histogram.percentileMs(99), histogram.meanMs, histogram.maxMs]).toEqual([0, 0, 0]);
});

test("times beyond the last class and below the first one are counted", () => {
  const histogram = new LatencyHistogram();
  histogram.record(3_600_000);
  histogram.record(-1);
  expect(histogram.percentileMs(50)).toBe(0);
  expect(histogram.percentileMs(99)).toBeGreaterThan(268_000);
  expect(histogram.maxMs).toBe(3_600_000);
});

test("two histograms together are one of all times", () => {
  const [one, other, both] = [1, 2, 3].map(() => new LatencyHistogram()) as [
    LatencyHistogram,
    LatencyHistogram,
    LatencyHistogram,
  ];
  for (let ms = 0; ms < 100; ms += 1) {
    (ms % 2 === 0 ? one : other).record(ms);
    both.record(ms);
  }
  one.add(other);
  const look = (histogram: LatencyHistogram): readonly number[] => [
    histogram.count,
    histogram.meanMs,
    histogram.maxMs,
    ...[1, 50, 99].map((percent) => histogram.percentileMs(percent)),
  ];
  expect(look(one)).toEqual(look(both));
});
