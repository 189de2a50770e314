import { expect, test } from "vitest";
import { cleanWord, flagOf, wholeNumberOf } from "#disks/probe/words.ts";

test("words are cleaned of what devices pad them with", () => {
  expect(cleanWord("  WDC\u0000 WD40   \u001b[31mred\ufffd ")).toBe("WDC WD40 [31mred");
  expect([undefined, null, "", " \u0000 "].map(cleanWord)).toEqual([
    ...[undefined, undefined, undefined, undefined],
  ]);
  expect(cleanWord("x".repeat(5000))).toHaveLength(200);
});

test("numbers and flags are exact or nothing", () => {
  expect(["12\n", "0", "-1", "1e3", "", undefined, "9".repeat(17)].map(wholeNumberOf)).toEqual([
    ...[12, 0, undefined, undefined, undefined, undefined, undefined],
  ]);
  expect(["1\n", "0", "2", undefined].map(flagOf)).toEqual([true, false, undefined, undefined]);
});
