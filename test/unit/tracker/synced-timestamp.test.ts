import { expect, test } from "vitest";
import { syncedTimestamp } from "#tracker/synced-timestamp.ts";

test("with round robin the slowest source decides, even backwards", () => {
  expect(syncedTimestamp(0, [30, 10, 20], "round-robin")).toBe(10);
  expect(syncedTimestamp(25, [30, 10, 20], "round-robin")).toBe(10);
});

test("with one server for all uploads the newest decides, and never backwards", () => {
  expect(syncedTimestamp(0, [30, 10, 20], "first")).toBe(30);
  expect(syncedTimestamp(40, [30, 10, 20], "priority")).toBe(40);
});

test("a report in which nothing counts changes nothing", () => {
  expect(syncedTimestamp(7, [], "round-robin")).toBe(7);
  expect(syncedTimestamp(7, [], "first")).toBe(7);
});
