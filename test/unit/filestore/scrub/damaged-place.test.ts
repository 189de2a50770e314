/** Places of damaged files and parts of trunk files. */
import { expect, test } from "vitest";
import { parseTrunkPlace, placeOfName } from "#filestore/scrub/damaged-place.ts";

test("a part of a trunk file is told from a file", () => {
  expect(parseTrunkPlace("00/1F/000001@4096")).toEqual({ below: "00/1F/000001", offset: 4096 });
  for (const none of ["00/1F/000001", "00/1F/abc@1", "../1F/000001@1", "00/1F/000001@"]) {
    expect(parseTrunkPlace(none)).toBe(undefined);
  }
});

test("the place of a name is what follows its store path", () => {
  expect(placeOfName("M00/00/01/abc")).toBe("00/01/abc");
  expect(placeOfName("00/01/abc")).toBe("00/01/abc");
});
