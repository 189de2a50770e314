/** What tells one content from another. */
import { expect, test } from "vitest";
import {
  matchesStrongly,
  matchesWeakly,
  parseEntityTags,
  validatorsOf,
} from "#gateway/entity-tag.ts";

const now = 1_800_000_000;
const normal = "M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
const appender = "M00/00/00/CgkAAmsDkLqEaconAAAAADUkQcI579.log";
const slave = "M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711_150x150.jpg";

test("a normal file is known by its name, wherever it lies and whenever it was copied", () => {
  const one = validatorsOf(normal, { sizeBytes: 2_097_152, modifiedSeconds: now }, now);
  const copy = validatorsOf(normal, { sizeBytes: 2_097_152, modifiedSeconds: now - 500 }, now);
  expect(one).toEqual({ entityTag: '"200000-6b0390ba-17398970"', modifiedSeconds: 1795395770 });
  expect(copy).toEqual(one);
});

test("an appender or slave file is known by its size and time", () => {
  const shortSlave = slave.replace("_150x150.jpg", "_s");
  for (const name of [appender, slave, shortSlave]) {
    const tag = (sizeBytes: number, modifiedSeconds: number): string =>
      validatorsOf(name, { sizeBytes, modifiedSeconds }, now).entityTag;
    expect(tag(16, 100)).toBe('"10-64"');
    expect(new Set([tag(16, 100), tag(17, 100), tag(16, 101)]).size).toBe(3);
  }
});

test("what may change again within the same second has no strong tag yet", () => {
  const weak = (age: number): boolean =>
    validatorsOf(appender, { sizeBytes: 1, modifiedSeconds: now - age }, now).entityTag.startsWith(
      "W/",
    );
  expect([0, 1, 2, 3600, -1, -2].map(weak)).toEqual([true, true, false, false, true, false]);
});

test("tags are compared strongly or weakly", () => {
  expect([matchesStrongly('"a"', '"a"'), matchesWeakly('"a"', '"a"')]).toEqual([true, true]);
  expect([matchesStrongly('W/"a"', 'W/"a"'), matchesWeakly('W/"a"', '"a"')]).toEqual([false, true]);
  expect([matchesStrongly('"a"', '"b"'), matchesWeakly('"a"', '"b"')]).toEqual([false, false]);
});

test("lists of tags are taken apart", () => {
  expect(parseEntityTags(" * ")).toBe("*");
  expect(parseEntityTags('"a", W/"b","c,d" , ""')).toEqual(['"a"', 'W/"b"', '"c,d"', '""']);
  expect(parseEntityTags("a, b")).toEqual([]);
  expect(parseEntityTags('"open')).toEqual([]);
});
