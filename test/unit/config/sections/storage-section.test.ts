import { expect, test } from "vitest";
import { storageSection } from "#config/sections/storage-section.ts";

test("the number of a storage may be written as a number or as text, and is kept as text", () => {
  const { type } = storageSection.entries.server_id;
  expect([100001, "100001", "16777215", ""].map((each) => type.read(each))).toEqual([
    { value: "100001" },
    { value: "100001" },
    { value: "16777215" },
    { value: "" },
  ]);
  const bad = [0, "0", "01", -1, 16777216, "x", 1.5, true];
  expect(bad.filter((each) => "value" in type.read(each))).toEqual([]);
});

test("a group is named by 1 to 16 letters and digits", () => {
  const { type } = storageSection.entries.group;
  expect("value" in type.read("Group1234567890X")).toBe(true);
  expect(["", "a-b", "a".repeat(17), 1].filter((each) => "value" in type.read(each))).toEqual([]);
});

test("a storage has at most sixteen trackers", () => {
  const { type } = storageSection.entries.trackers;
  const names = Array.from({ length: 17 }, (_, at) => `t${at}`);
  expect("value" in type.read(names.slice(1))).toBe(true);
  expect(type.read(names)).toEqual({ problem: expect.stringContaining("17 entries") });
});
