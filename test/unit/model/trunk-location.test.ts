import { expect, test } from "vitest";
import { trunkFilename } from "#model/trunk-location.ts";

test("a trunk file is named with its number in at least six digits", () => {
  expect([1, 999999, 1000000].map(trunkFilename)).toEqual(["000001", "999999", "1000000"]);
});
