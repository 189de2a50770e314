import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, parseCanonicalValue } from "#base/canonical-json.ts";

test("a value has one text, whatever the order and spaces of what was parsed", () => {
  const value = parseCanonicalValue(' { "b" : [ 1, { "z": null, "a": "é\\u0041" } ], "a": true } ');
  expect(value && canonicalJson(value)).toBe('{"a":true,"b":[1,{"a":"éA","z":null}]}');
});

test("the text of a value is parsed to the same text", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (any) => {
      const value = parseCanonicalValue(JSON.stringify(any));
      if (value === undefined) return;
      const text = canonicalJson(value);
      const again = parseCanonicalValue(text);
      expect(again === undefined ? undefined : canonicalJson(again)).toBe(text);
    }),
  );
});

test("numbers that another reader could see otherwise are refused, and so is what is nested deep", () => {
  for (const text of ["1.5", "1e400", "9007199254740993", "-0", "[0.1]", "{", ""]) {
    expect(parseCanonicalValue(text)).toBe(undefined);
  }
  expect(parseCanonicalValue(`${"[".repeat(17)}${"]".repeat(17)}`)).not.toBe(undefined);
  expect(parseCanonicalValue(`${"[".repeat(18)}${"]".repeat(18)}`)).toBe(undefined);
  expect(parseCanonicalValue(`${"[".repeat(20)}1${"]".repeat(20)}`)).toBe(undefined);
});

test("a key that would be the prototype is a key like any other", () => {
  const value = parseCanonicalValue('{"__proto__":{"a":1}}');
  expect(value && canonicalJson(value)).toBe('{"__proto__":{"a":1}}');
});
