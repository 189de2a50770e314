import { expect, test } from "vitest";
import { storable, storableSize } from "#tracker/storable.ts";

test("numbers of 64 bits are brought to what a number holds exactly", () => {
  const max = Number.MAX_SAFE_INTEGER;
  expect([storable(2 ** 63), storable(-(2 ** 63)), storable(-5)]).toEqual([max, -max, -5]);
  expect([storableSize(2 ** 63), storableSize(-5), storableSize(5)]).toEqual([max, 0, 5]);
});
