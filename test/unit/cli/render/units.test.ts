/** Sizes, times and durations for people. */
import { expect, test } from "vitest";
import { readableCrc32, readableDuration, readableSize, readableTime } from "#cli/render/units.ts";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [10 * 1024, "10 KiB"],
  [1023.4 * 1024, "1.0 MiB"],
  [1536 * 1024, "1.5 MiB"],
  [5.04 * 1024 ** 3, "5.0 GiB"],
  [504 * 1024 ** 3, "504 GiB"],
  [2 ** 50, "1.0 PiB"],
  [2 ** 63, "8192 PiB"],
])("%d is %s", (bytes, text) => {
  expect(readableSize(bytes)).toBe(text);
});

test.each([
  [0, "0 s"],
  [59.6, "1 min"],
  [200, "3 min 20 s"],
  [7500, "2 h 5 min"],
  [86_400, "1 d"],
  [90_061, "1 d 1 h"],
  [-5, "0 s"],
])("%d seconds are %s", (seconds, text) => {
  expect(readableDuration(seconds)).toBe(text);
});

test("times are those of the world, and nonsense stays what it is", () => {
  expect(readableTime(1795395770)).toBe("2026-11-23 01:02:50 UTC");
  expect(readableTime(1e18)).toBe("1000000000000000000");
  expect(readableCrc32(0x2a)).toBe("0000002a");
});
