import { expect, test } from "vitest";
import { AssertionError, assert, present, unreachable } from "#base/assert.ts";

test("what holds passes, what does not ends its owner with the reason", () => {
  expect(() => assert(true, "numbers are positive")).not.toThrow();
  expect(() => assert(false, "numbers are positive")).toThrow(AssertionError);
  expect(() => assert(false, "numbers are positive")).toThrow(/numbers are positive/);
});

test("a present value is handed on, also where it is falsy", () => {
  expect([present(0, "a number"), present("", "a text"), present(false, "a flag")]).toEqual([
    0,
    "",
    false,
  ]);
  expect(() => present(undefined, "the session")).toThrow(/the session is absent/);
  expect(() => present(null, "the session")).toThrow(AssertionError);
});

test("a value that the types exclude is named", () => {
  expect(() => unreachable("surprise" as never)).toThrow(/surprise/);
});
