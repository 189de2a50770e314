/** When the disk must be asked whether a name is taken. */
import { expect, test } from "vitest";
import { IssuedNames } from "#filestore/worker/issued-names.ts";

test("names of a time that was never before are free, each once", () => {
  const names = new IssuedNames(100);
  expect([names.give("a", 101), names.give("b", 101), names.give("a", 101)]).toEqual([
    true,
    true,
    false,
  ]);
  expect([names.give("a", 102), names.give("b", 102)]).toEqual([true, true]);
});

test("names of the time up to the start, or before the newest ones, are asked for", () => {
  const names = new IssuedNames(100);
  expect([names.give("a", 99), names.give("a", 100)]).toEqual([false, false]);
  expect([names.give("a", 105), names.give("a", 104), names.give("a", 105)]).toEqual([
    true,
    false,
    false,
  ]);
});
