import { expect, test } from "vitest";
import {
  formatBound,
  formatNew,
  formatPart,
  parseStagedName,
} from "#filestore/formats/staged-name.ts";

const place = { high: 10, low: 255, base: "CgkAAmsDkLqADHp4ACAAABc5iXA711.bin" };

test("each kind of staged file says by its name what it is for", () => {
  expect(formatPart(17)).toBe("17.part");
  expect(parseStagedName("17.part")).toEqual({ kind: "part" });
  expect(formatNew(place)).toBe(`0A.FF.${place.base}`);
  expect(parseStagedName(formatNew(place))).toEqual({ kind: "new", place });
  const position = { index: 3, offset: 4096 };
  expect(formatBound(place, position)).toBe(`3.4096@0A.FF.${place.base}`);
  expect(parseStagedName(formatBound(place, position))).toEqual({ kind: "bound", place, position });
});

test("bases that look like something else keep their meaning", () => {
  for (const base of ["12.34@00.00.x", "1.part", "00.01.00.02", "@", "x-m"]) {
    const odd = { high: 0, low: 1, base };
    expect(parseStagedName(formatNew(odd))).toEqual({ kind: "new", place: odd });
    const position = { index: 12, offset: 34 };
    const bound = parseStagedName(formatBound(odd, position));
    expect(bound).toEqual({ kind: "bound", place: odd, position });
  }
});

test("other names are none", () => {
  for (const name of ["", "part", "x.part", "00.01", "00.01.", "0a.01.x", "0.1.x", "1@00.01.x"]) {
    expect(parseStagedName(name), name).toBeUndefined();
  }
  expect(parseStagedName("00.01...")).toBeUndefined();
});
