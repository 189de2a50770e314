/** Which bytes a Range header means. */
import { expect, test } from "vitest";
import { contentRange, decideRanges, lengthOf } from "#gateway/byte-range.ts";

/** `first-last` of each range, or the kind of the decision. */
function decide(header: string | undefined, size = 1000): string {
  const decision = decideRanges(header, size);
  if (decision.kind !== "ranges") return decision.kind;
  return decision.ranges.map(({ first, last }) => `${first}-${last}`).join(",");
}

test("each form of a range is understood, and clipped at the end of the file", () => {
  expect(decide("bytes=0-0")).toBe("0-0");
  expect(decide("bytes=0-499")).toBe("0-499");
  expect(decide("bytes=500-")).toBe("500-999");
  expect(decide("bytes=-1")).toBe("999-999");
  expect(decide("bytes=-5000")).toBe("0-999");
  expect(decide("bytes=999-5000")).toBe("999-999");
  expect(decide(`bytes=0-${"9".repeat(400)}`)).toBe("0-999");
  expect(decide("BYTES = 1-2")).toBe("1-2");
});

test("several ranges keep their order; those beyond the end are left out", () => {
  expect(decide("bytes=500-600, 0-1 ,-5")).toBe("500-600,0-1,995-999");
  expect(decide("bytes=0-1,5000-,7-8")).toBe("0-1,7-8");
  expect(decide("bytes=,0-1,,3-4,")).toBe("0-1,3-4");
});

test("where no range lies in the file, none can be given", () => {
  expect(decide("bytes=1000-")).toBe("unsatisfiable");
  expect(decide("bytes=-0")).toBe("unsatisfiable");
  expect(decide("bytes=1000-1001,2000-")).toBe("unsatisfiable");
  expect(decide(`bytes=${"9".repeat(400)}-`)).toBe("unsatisfiable");
});

test("what is malformed or of another unit counts as absent", () => {
  const headers = [
    undefined,
    "",
    "bytes",
    "bytes=",
    "bytes=,",
    "bytes=-",
    "bytes=a-b",
    "bytes=1",
    "bytes=2-1",
    "bytes=0-1,2-1",
    "bytes=0-1;2-3",
    "bytes=+1-2",
    "bytes=1.0-2",
    "bytes=0x1-2",
    "bytes=--1",
    "lines=0-1",
  ];
  expect(headers.filter((header) => decide(header) !== "whole")).toEqual([]);
});

test("an empty file is given whole, whatever was asked for", () => {
  expect(["bytes=0-", "bytes=-5", "bytes=7-9"].map((header) => decide(header, 0))).toEqual(
    Array(3).fill("whole"),
  );
});

test("more ranges than sixteen, and ranges that ask for more than the file, get the file", () => {
  const ranges = (count: number): string =>
    `bytes=${Array.from({ length: count }, (_, at) => `${2 * at}-${2 * at}`).join(",")}`;
  expect(decide(ranges(16)).split(",")).toHaveLength(16);
  expect(decide(ranges(17))).toBe("whole");
  expect(decide(ranges(5000))).toBe("whole");
  expect(decide("bytes=0-,0-")).toBe("whole");
  expect(decide("bytes=0-499,499-999")).toBe("whole");
  expect(decide("bytes=0-499,500-999")).toBe("0-499,500-999");
});

test("a range tells its length and its header", () => {
  expect(lengthOf({ first: 5, last: 5 })).toBe(1);
  expect(contentRange({ first: 0, last: 9 }, 20)).toBe("bytes 0-9/20");
});
