import { expect, test } from "vitest";
import { GroupName, isGroupName } from "#model/group-name.ts";

test("a group is named with 1 to 16 letters and digits", () => {
  for (const text of ["group1", "G", "0", "Abcdefghijklmno9"]) {
    expect(isGroupName(text)).toBe(true);
    expect(GroupName(text)).toBe(text);
  }
});

test("anything else is refused", () => {
  const bad = [
    "",
    "group_1",
    "group 1",
    "grüppe",
    "a/b",
    "..",
    "group1\0",
    "Abcdefghijklmno90",
    "@",
    "[",
    "`",
    "{",
  ];
  for (const text of bad) expect(isGroupName(text), text).toBe(false);
  expect(() => GroupName("a/b")).toThrow('"a/b" is not a group name: use 1 to 16 letters');
});
