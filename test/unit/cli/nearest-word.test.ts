/** What was probably meant. */
import { expect, test } from "vitest";
import { editDistance, nearestWord } from "#cli/nearest-word.ts";

const words = ["put", "get", "status", "regenerate", "truncate"];

test.each([
  ["putt", "put"],
  ["gte", "get"],
  ["PUT", "put"],
  ["stauts", "status"],
  ["regen", "regenerate"],
  ["xyz", undefined],
  ["p", undefined],
  ["x".repeat(1000), undefined],
])("%s: %s", (typed, meant) => {
  expect(nearestWord(typed, words)).toBe(meant);
});

test.each([
  ["", "", 0],
  ["a", "", 1],
  ["ab", "ba", 1],
  ["abc", "abd", 1],
  ["kitten", "sitting", 3],
  ["", "abc", 3],
])("from %j to %j it is %i", (one, other, distance) => {
  expect(editDistance(one, other)).toBe(distance);
  expect(editDistance(other, one)).toBe(distance);
});
