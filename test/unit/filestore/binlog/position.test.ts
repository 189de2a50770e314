import { expect, test } from "vitest";
import { binlogStart, comparePositions } from "#filestore/binlog/position.ts";

test("places are ordered by file, then by byte", () => {
  const places = [
    { index: 1, offset: 0 },
    { index: 0, offset: 500 },
    binlogStart,
    { index: 0, offset: 70 },
  ];
  expect(places.sort(comparePositions)).toEqual([
    { index: 0, offset: 0 },
    { index: 0, offset: 70 },
    { index: 0, offset: 500 },
    { index: 1, offset: 0 },
  ]);
  expect(comparePositions({ index: 2, offset: 3 }, { index: 2, offset: 3 })).toBe(0);
});
