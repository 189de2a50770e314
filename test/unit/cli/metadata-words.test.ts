/** NAME=VALUE words. */
import { expect, test } from "vitest";
import { parseMetadataWords } from "#cli/metadata-words.ts";

test("the first equals sign divides", () => {
  expect(parseMetadataWords(["a=b", "c=", "d=e=f", "g h=i j"])).toEqual([
    ["a", "b"],
    ["c", ""],
    ["d", "e=f"],
    ["g h", "i j"],
  ]);
});

test.each(["a", "=b", ""])("%j is no metadata", (word) => {
  expect(() => parseMetadataWords([word])).toThrow("write NAME=VALUE");
});
