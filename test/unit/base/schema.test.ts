/** Shapes of JSON values: what passes, and what is said of what does not. */
import { expect, test } from "vitest";
import {
  choice,
  flag,
  list,
  optional,
  readShape,
  record,
  type Shape,
  text,
  wholeNumber,
} from "#base/schema.ts";

function read<T>(shape: Shape<T>, value: unknown, surplus: "refuse" | "drop" = "refuse"): T {
  return readShape(shape, value, { what: "input", surplus });
}

function problem(shape: Shape<unknown>, value: unknown): string {
  try {
    read(shape, value);
  } catch (error) {
    expect(error).toMatchObject({ code: "shape-mismatch" });
    return (error as Error).message;
  }
  return "none";
}

const person = record({
  name: text({ maxLength: 5 }),
  age: optional(wholeNumber({ max: 150 })),
  tags: list(choice("a", "b"), { max: 2 }),
  here: flag(),
});

test("a value of the shape is read, without what is absent", () => {
  const value = { name: "Ann", age: null, tags: ["a", "b"], here: true };
  expect(read(person, value)).toEqual({ name: "Ann", tags: ["a", "b"], here: true });
  expect(read(person, { ...value, age: 7 }).age).toBe(7);
});

test.each([
  [{ name: "Annabel", tags: [], here: true }, "input.name must be a text of at most 5 characters"],
  [
    { name: "Ann", age: 1.5, tags: [], here: true },
    "input.age must be a whole number from 0 to 150",
  ],
  [{ name: "Ann", tags: ["c"], here: true }, 'input.tags[0] must be one of "a", "b"'],
  [{ name: "Ann", tags: ["a", "a", "a"], here: true }, "input.tags must be a list of at most 2"],
  [{ name: "Ann", tags: [] }, "input.here must be true or false"],
  [{ name: "Ann", tags: [], here: 1 }, "input.here must be true or false"],
  [[], "input must be a record with name, age, tags, here"],
  [null, "input must be a record"],
])("%j is refused: %s", (value, message) => {
  expect(problem(person, value)).toContain(message);
});

test("surplus keys are refused in our input and dropped from a newer peer's output", () => {
  const value = { name: "Ann", tags: [], here: true, more: 1 };
  expect(problem(person, value)).toBe('input has no "more"; it has name, age, tags, here');
  expect(read(person, value, "drop")).toEqual({ name: "Ann", tags: [], here: true });
  expect(problem(record({}), { x: 1 })).toBe('input has no "x"; it has nothing');
});

test("inherited names are no keys", () => {
  expect(problem(record({ constructor: flag() }), {})).toContain("input.constructor must be");
  expect(problem(record({}), JSON.parse('{"__proto__": 1}'))).toContain('no "__proto__"');
});
