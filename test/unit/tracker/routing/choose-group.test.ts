import { expect, test } from "vitest";
import {
  chooseGroup,
  type GroupRules,
  mostFreeGroup,
  refusalOfGroup,
} from "#tracker/routing/choose-group.ts";
import type { GroupView } from "#tracker/routing/views.ts";
import { groupView } from "../../../support/tracker-views.ts";

const rules: GroupRules = {
  storeLookup: "round-robin",
  reservedSpace: { kind: "bytes", bytes: 1024 ** 3 },
  trunkEnabled: false,
};
const mostFree: GroupRules = { ...rules, storeLookup: "most-free" };
const withTrunk: GroupRules = { ...mostFree, trunkEnabled: true };
const full = { freeMb: 1000 };
const readOnly = { writable: [] };

function choices(groups: readonly GroupView[], count: number, given: GroupRules): unknown {
  let current = 0;
  return Array.from({ length: count }, () => {
    const chosen = chooseGroup(groups, current, given);
    if (typeof chosen === "string") return chosen;
    current = chosen.next;
    return chosen.group.name;
  });
}

test("round robin goes through the groups by name", () => {
  const groups = [groupView("a"), groupView("b"), groupView("c")];
  expect(choices(groups, 4, rules)).toEqual(["a", "b", "c", "a"]);
});

test("round robin passes over groups that are full or take no uploads", () => {
  const groups = [groupView("a"), groupView("b", full), groupView("c", readOnly), groupView("d")];
  expect(choices(groups, 4, rules)).toEqual(["a", "d", "a", "d"]);
});

test("a place beyond the list starts over", () => {
  expect(chooseGroup([groupView("a")], 7, rules)).toMatchObject({ next: 0 });
});

test("without groups, with none that is writable and without store paths nothing is found", () => {
  expect(chooseGroup([], 0, rules)).toBe("not-found");
  expect(chooseGroup([groupView("a", readOnly)], 0, rules)).toBe("not-found");
  expect(chooseGroup([groupView("a", { storePathCount: 0 })], 0, rules)).toBe("not-found");
});

test("where all writable groups are full there is no space", () => {
  expect(chooseGroup([groupView("a", full), groupView("b", readOnly)], 0, rules)).toBe("no-space");
});

test("most-free stays with its group, and moves on where that is full", () => {
  const groups = [groupView("a", full), groupView("b"), groupView("c")];
  expect(choices(groups, 3, mostFree)).toEqual(["b", "b", "b"]);
});

test("most-free with trunk files also takes its group for what is free in trunk files", () => {
  const groups = [groupView("a", { ...full, trunkFreeMb: 100 }), groupView("b")];
  expect(choices(groups, 1, withTrunk)).toEqual(["a"]);
  expect(choices(groups, 1, { ...withTrunk, storeLookup: "round-robin" })).toEqual(["b"]);
});

test("with trunk files the first group with enough in trunk files is the last resort", () => {
  const room = { ...full, trunkFreeMb: 100 };
  const groups = [groupView("a", full), groupView("b", room), groupView("c", room)];
  expect(choices(groups, 2, { ...withTrunk, storeLookup: "round-robin" })).toEqual(["b", "b"]);
  expect(choices([groupView("a", full)], 1, withTrunk)).toEqual(["no-space"]);
});

test("a named group must exist, be writable and have room", () => {
  const outcomes = [
    refusalOfGroup(undefined, rules),
    refusalOfGroup(groupView("a", readOnly), rules),
    refusalOfGroup(groupView("a", full), rules),
    refusalOfGroup(groupView("a", { ...full, trunkFreeMb: 100 }), withTrunk),
    refusalOfGroup(groupView("a"), rules),
  ];
  expect(outcomes).toEqual(["not-found", "not-found", "no-space", undefined, undefined]);
});

test("the most free group is the writable one with most space, the first among equals", () => {
  const groups = [
    groupView("a", { freeMb: 3000 }),
    groupView("b", { freeMb: 9000, ...readOnly }),
    groupView("c", { freeMb: 5000 }),
    groupView("d", { freeMb: 5000 }),
  ];
  expect(mostFreeGroup(groups, mostFree)).toBe(2);
  expect(mostFreeGroup([], mostFree)).toBe(0);
});

test("where the most free group is full, free space in trunk files decides", () => {
  const groups = [
    groupView("a", { freeMb: 900, trunkFreeMb: 10 }),
    groupView("b", { freeMb: 800, trunkFreeMb: 500 }),
  ];
  expect([mostFreeGroup(groups, mostFree), mostFreeGroup(groups, withTrunk)]).toEqual([0, 1]);
});
