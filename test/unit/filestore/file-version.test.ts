import { expect, test } from "vitest";
import { compareVersions, timeOfChange } from "#filestore/file-version.ts";

test("a change is never before what it changes, and later where the size does not tell", () => {
  const times = [
    timeOfChange(100, 50, false),
    timeOfChange(100, 100, true),
    timeOfChange(100, 100, false),
    timeOfChange(0, 100, true),
    timeOfChange(0, 100, false),
    timeOfChange(0, 0xffffffff, false),
  ];
  expect(times).toEqual([100, 100, 101, 100, 101, 0xffffffff]);
});

test("of two versions the later counts, of one second the larger, and else the content decides", () => {
  const version = (modifiedSeconds: number, sizeBytes: number) => ({ modifiedSeconds, sizeBytes });
  const signs = [
    compareVersions(version(2, 1), version(1, 9)),
    compareVersions(version(1, 9), version(2, 1)),
    compareVersions(version(1, 9), version(1, 1)),
    compareVersions(version(1, 1), version(1, 1)),
  ].map(Math.sign);
  expect(signs).toEqual([1, -1, 1, 0]);
});
