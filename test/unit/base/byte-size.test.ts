import fc from "fast-check";
import { expect, test } from "vitest";
import { formatByteSize, parseByteSize } from "#base/byte-size.ts";

test("every spelling of a unit counts in powers of 1024", () => {
  const texts = ["7", "7B", "7k", "7KB", "7KiB", "7 M", "7mb", "7MiB", "7G", "7gib", "7T", "7TB"];
  expect(texts.map(parseByteSize)).toEqual([
    7,
    7,
    ...[7168, 7168, 7168],
    ...[7340032, 7340032, 7340032],
    ...[7516192768, 7516192768],
    ...[7696581394432, 7696581394432],
  ]);
});

test("what is no size is undefined", () => {
  const texts = ["", "x", "-1", "1.5G", "1 0", "10%", "1P", "9999999999999999", "9000T", "1iBB"];
  expect(texts.map(parseByteSize)).toEqual(texts.map(() => undefined));
});

test("a formatted size reads back as the same number", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.constantFrom(1, 1024, 1024 ** 2), (count, unit) => {
      const bytes = Math.floor(count / unit) * unit;
      expect(parseByteSize(formatByteSize(bytes))).toBe(bytes);
    }),
  );
  expect([0, 1000, 1024, 64 * 1024 ** 2].map(formatByteSize)).toEqual([
    "0B",
    "1000B",
    "1KiB",
    "64MiB",
  ]);
});
