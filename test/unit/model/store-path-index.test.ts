import { expect, test } from "vitest";
import { isStorePathIndex, StorePathIndex, storePathPrefix } from "#model/store-path-index.ts";

test("indexes are whole numbers from 0 to 255", () => {
  expect([0, 1, 255].every(isStorePathIndex)).toBe(true);
  expect([-1, 256, 1.5, Number.NaN].some(isStorePathIndex)).toBe(false);
  expect(() => StorePathIndex(256)).toThrow("256 is not a store path index");
});

test("a store path begins logical names with two upper-case digits", () => {
  const indexes = [0, 1, 10, 16, 171, 255].map(StorePathIndex);
  expect(indexes.map(storePathPrefix)).toEqual(["M00", "M01", "M0A", "M10", "MAB", "MFF"]);
});
