import { expect, test } from "vitest";
import { trackerSection } from "#config/sections/tracker-section.ts";

test("the group for uploads is a group name or empty", () => {
  const { type } = trackerSection.entries.store_group;
  expect(["", "group1"].filter((each) => "problem" in type.read(each))).toEqual([]);
  expect(["group 1", "a".repeat(17), 1].filter((each) => "value" in type.read(each))).toEqual([]);
});
