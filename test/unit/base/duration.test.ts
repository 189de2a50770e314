import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "#base/duration.ts";

test("a number and a unit give milliseconds", () => {
  expect(["250ms", "30s", "5m", "5 min", "2h", "7d", "0s"].map(parseDuration)).toEqual([
    250, 30_000, 300_000, 300_000, 7_200_000, 604_800_000, 0,
  ]);
});

test("a number without a unit and other text are undefined", () => {
  const texts = ["30", "", "s", "1.5s", "-1s", "30 seconds", "1h30m", "999999999999999d"];
  expect(texts.map(parseDuration)).toEqual(texts.map(() => undefined));
});

test("a formatted duration reads back as the same number", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.constantFrom(1, 1000, 60_000), (count, unit) => {
      const ms = Math.floor(count / unit) * unit;
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
  expect([0, 1, 90_000, 3_600_000, 86_400_000].map(formatDuration)).toEqual([
    "0s",
    "1ms",
    "90s",
    "1h",
    "1d",
  ]);
});
