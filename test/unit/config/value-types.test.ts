import fc from "fast-check";
import { expect, test } from "vitest";
import type { PlainValue, ValueType } from "#config/value-types.ts";
import * as types from "#config/value-types.ts";

function read<T>(type: ValueType<T>, value: unknown): T | string {
  const reading = type.read(value);
  return "problem" in reading ? reading.problem : reading.value;
}

/** What `text` from the environment becomes, as it would be written. */
function fromText<T>(type: ValueType<T>, text: string): PlainValue {
  const reading = type.read(type.fromText(text));
  return "problem" in reading ? reading.problem : type.write(reading.value);
}

test("a value of the wrong type is named, and what is allowed is said", () => {
  const wrong = [
    read(types.flag(), "yes"),
    read(types.integer({ min: 0, max: 9 }), 10),
    read(types.text(), 5),
  ];
  expect(wrong).toEqual([
    '"yes" is not allowed; allowed is true or false',
    "10 is not allowed; allowed is a whole number from 0 to 9",
    "5 is not allowed; allowed is text of at most 4096 characters",
  ]);
  expect(read(types.path(), new Date(0))).toContain("a date or time without quotation marks");
  expect(read(types.path(), {})).toContain("a table");
  expect(read(types.flag(), [])).toContain("a list");
  expect(read(types.choice("a"), "x".repeat(100))).toContain(`"${"x".repeat(57)}..."`);
});

test("text has a limit and no control characters", () => {
  const type = types.text({ maxLength: 3 });
  expect([read(type, "abc"), read(type, "abcd"), read(type, "a\nb")]).toEqual([
    "abc",
    "too long; allowed is text of at most 3 characters",
    "a control character; allowed is text of at most 3 characters",
  ]);
});

test("an empty path is allowed only where it means something", () => {
  expect(read(types.path(), "")).toContain("not allowed");
  expect(read(types.path({ mayBeEmpty: true }), "")).toBe("");
});

test("whole numbers only, within the range", () => {
  const type = types.integer({ min: -1, max: 3 });
  const results = [-2, -1, 3, 4, 1.5, Number.NaN, "1", true].map(
    (value) => typeof read(type, value),
  );
  expect(results).toEqual([
    "string",
    "number",
    "number",
    ...Array.from({ length: 5 }, () => "string"),
  ]);
  expect([fromText(type, " 2 "), fromText(type, "0x2")]).toEqual([
    2,
    '"0x2" is not allowed; allowed is a whole number from -1 to 3',
  ]);
});

test("sizes are numbers of bytes or have a unit", () => {
  const type = types.byteSize({ min: "1KiB", max: "1GiB" });
  expect([1024, "1024", "64MiB", "1 gb"].map((value) => read(type, value))).toEqual([
    1024, 1024, 67108864, 1073741824,
  ]);
  expect(["1GiB1", 1, "2GiB", 1.5, "x"].map((value) => typeof read(type, value))).not.toContain(
    "number",
  );
  expect(fromText(type, "2048")).toBe("2KiB");
});

test("space is a size or a percentage between 0 and 100", () => {
  const type = types.spaceLimit({ min: "0", max: "1TiB" });
  expect(["10%", "12.5 %", "1GiB", 0].map((value) => read(type, value))).toEqual([
    { kind: "percent", percent: 10 },
    { kind: "percent", percent: 12.5 },
    { kind: "bytes", bytes: 1073741824 },
    { kind: "bytes", bytes: 0 },
  ]);
  expect(
    ["0%", "100%", "-1%", "2TiB", true].map((value) => typeof read(type, value)),
  ).not.toContain("object");
  expect(fromText(type, "99.99%")).toBe("99.99%");
});

test("durations need a unit, and a bare number is told which", () => {
  const type = types.duration({ min: "1s", max: "1h" });
  expect(["1s", "90s", "1h", "60m"].map((value) => read(type, value))).toEqual([
    1000, 90000, 3600000, 3600000,
  ]);
  expect(read(type, 30)).toContain('30 has no unit; write "30s" for seconds');
  expect(fromText(type, "30")).toContain('write "30s"');
  expect(["999ms", "61m", "x", true].map((value) => typeof read(type, value))).not.toContain(
    "number",
  );
});

test("a time of day is hours and minutes", () => {
  expect(["02:00", "2:5", "23:59"].map((value) => fromText(types.timeOfDay(), value))).toEqual([
    "02:00",
    "02:05",
    "23:59",
  ]);
  expect(
    ["24:00", "1:60", "1", 1, new Date(0)].map((value) => typeof read(types.timeOfDay(), value)),
  ).not.toContain("object");
});

test("a choice may be written as a number where its words are digits", () => {
  const type = types.choice("auto", "16", "46");
  expect([16, "46", "auto", 17].map((value) => read(type, value))).toEqual([
    "16",
    "46",
    "auto",
    '17 is not allowed; allowed is one of "auto", "16", "46"',
  ]);
});

test("an IP address is kept in canonical text", () => {
  const type = types.ipAddress("auto");
  expect(
    ["auto", "2001:DB8:0::1", "10.0.0.1", "host", 5].map((value) => read(type, value)),
  ).toEqual([
    "auto",
    "2001:db8::1",
    "10.0.0.1",
    '"host" is not allowed; allowed is "auto" or an IP address',
    '5 is not allowed; allowed is "auto" or an IP address',
  ]);
});

test("a tracker has one or two addresses and a port that may be left out", () => {
  const type = types.trackerAddress(22122);
  const texts = [
    "nas",
    "nas:22",
    "10.0.0.1,59.1.2.3:22",
    "[2001:DB8::1,10.0.0.1]:22",
    "2001:db8::1",
  ];
  expect(texts.map((value) => fromText(type, value))).toEqual([
    "nas:22122",
    "nas:22",
    "10.0.0.1,59.1.2.3:22",
    "[2001:db8::1,10.0.0.1]:22",
    "[2001:db8::1]:22122",
  ]);
  const wrong = ["", ":22", "nas:", "nas:0", "nas:70000", "a,b,c:1", "10.0.0.300:1", "a b:1", 5];
  expect(wrong.map((value) => typeof read(type, value))).toEqual(wrong.map(() => "string"));
});

test("a list says which of its entries is wrong, too many or there already", () => {
  const type = types.list(types.choice("a", "b", "c"), { min: 1, max: 2 });
  expect([
    type.read(["a", "x"]),
    type.read(["b", "b"]),
    type.read([]),
    type.read(["a", "b", "c"]),
    type.read("a"),
  ]).toEqual([
    { problem: '"x" is not allowed; allowed is one of "a", "b", "c"', at: 1 },
    { problem: '"b" stands in the list twice', at: 1 },
    { problem: '0 entries; allowed is a list of 1 to 2, each one of "a", "b", "c"' },
    { problem: '3 entries; allowed is a list of 1 to 2, each one of "a", "b", "c"' },
    { value: ["a"] },
  ]);
});

test("a list from plain text is split at commas outside of brackets, or is a TOML array", () => {
  const rules = types.list(types.addressRule(), { min: 1, max: 9 });
  expect(fromText(rules, "10.0.1.[1-15,20], nas")).toEqual(["10.0.1.[1-15,20]", "nas"]);
  expect(fromText(rules, '["10.0.0.0/8", "nas"]')).toEqual(["10.0.0.0/8", "nas"]);
  const trackers = types.list(types.trackerAddress(22122), { min: 0, max: 9 });
  expect(fromText(trackers, "[2001:db8::1]:22,nas")).toEqual(["[2001:db8::1]:22", "nas:22122"]);
  expect(fromText(trackers, "")).toEqual([]);
});

test("what a type writes it reads as the same value", () => {
  const pairs: readonly (readonly [ValueType<unknown>, fc.Arbitrary<unknown>])[] = [
    [types.byteSize({ min: "0", max: "8191TiB" }), fc.nat({ max: 2 ** 40 })],
    [types.duration({ min: "0s", max: "365d" }), fc.nat({ max: 31_536_000_000 })],
    [
      types.spaceLimit({ min: "0", max: "8191TiB" }),
      fc.nat({ max: 9998 }).map((each) => ({ kind: "percent", percent: (each + 1) / 100 })),
    ],
    [types.timeOfDay(), fc.record({ hour: fc.nat({ max: 23 }), minute: fc.nat({ max: 59 }) })],
  ];
  for (const [type, values] of pairs) {
    fc.assert(
      fc.property(values, (value) => {
        expect(read(type, type.write(value))).toEqual(value);
      }),
    );
  }
});
