import { expect, test } from "vitest";
import {
  formatKeyValueLines,
  parseCount,
  parseKeyValueLines,
} from "#filestore/formats/key-value-lines.ts";

test("lines without a key are passed over, the last of equal keys counts", () => {
  const text = "a=1\n\n=x\nno value\n b = two words \nc=x=y\na=2\n";
  expect([...parseKeyValueLines(text)]).toEqual([
    ["a", "2"],
    ["b", "two words"],
    ["c", "x=y"],
  ]);
});

test("what is formatted is parsed again", () => {
  const text = formatKeyValueLines([
    ["current_write", 3],
    ["store_path_mark", "MTAuOS4w"],
  ]);
  expect(text).toBe("current_write=3\nstore_path_mark=MTAuOS4w\n");
  expect(parseKeyValueLines(text).get("store_path_mark")).toBe("MTAuOS4w");
});

test("counts are decimal digits alone", () => {
  expect(["0", "007", "123456789012345"].map(parseCount)).toEqual([0, 7, 123456789012345]);
  for (const text of [undefined, "", "-1", "1.5", "1e3", " 1", "1234567890123456"]) {
    expect(parseCount(text)).toBeUndefined();
  }
});
