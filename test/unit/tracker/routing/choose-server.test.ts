import { expect, test } from "vitest";
import { chooseServer, effectiveServerRule, storeServer } from "#tracker/routing/choose-server.ts";
import { storageView } from "../../../support/tracker-views.ts";

const a = storageView("a", { uploadPriority: 10 });
const b = storageView("b", { uploadPriority: 5 });
const c = storageView("c", { uploadPriority: 5 });

test("round robin takes each in turn, and starts over from a place beyond the list", () => {
  let current = 7;
  const ids = Array.from({ length: 4 }, () => {
    const chosen = chooseServer([a, b, c], current, "round-robin");
    current = chosen?.next ?? -1;
    return chosen?.storage.id;
  });
  expect(ids).toEqual(["a", "b", "c", "a"]);
});

test("round robin over one storage does not move", () => {
  expect(chooseServer([b], 3, "round-robin")).toEqual({ storage: b, next: 3 });
});

test("the other rules always take the same storage", () => {
  expect(chooseServer([a, b, c], 2, "first")).toEqual({ storage: a, next: 2 });
  expect(chooseServer([a, b, c], 2, "priority")).toEqual({ storage: b, next: 2 });
});

test("without writable storages nobody is chosen", () => {
  const rules = ["round-robin", "first", "priority"] as const;
  expect(rules.map((rule) => chooseServer([], 0, rule))).toEqual([undefined, undefined, undefined]);
});

test("the store server of a group is the first by id, or the one with the lowest priority number", () => {
  const rules = ["round-robin", "first", "priority"] as const;
  expect(rules.map((rule) => storeServer([a, b, c], rule)?.id)).toEqual(["a", "a", "b"]);
});

test("trunk files turn round robin into one server", () => {
  expect(effectiveServerRule("round-robin", true)).toBe("first");
  expect(effectiveServerRule("round-robin", false)).toBe("round-robin");
  expect(effectiveServerRule("priority", true)).toBe("priority");
});
