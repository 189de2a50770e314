import fc from "fast-check";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { formatTomlValue } from "#config/toml-text.ts";

test("what is written reads back as the same value", () => {
  const plain = fc.oneof(fc.string({ unit: "binary" }), fc.maxSafeInteger(), fc.boolean());
  fc.assert(
    fc.property(fc.oneof(plain, fc.array(plain)), (value) => {
      expect(parse(`value = ${formatTomlValue(value)}`).value).toEqual(value);
    }),
  );
});

test("half of a surrogate pair is replaced, since TOML has no notation for it", () => {
  expect(parse(`value = ${formatTomlValue("a\ud800b")}`).value).toBe("a\ufffdb");
});
