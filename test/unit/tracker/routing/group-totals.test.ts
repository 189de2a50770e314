import { expect, test } from "vitest";
import { groupTotals } from "#tracker/routing/group-totals.ts";

test("the group's space is that of its tightest storage", () => {
  const storages = [
    { totalMb: 100, freeMb: 50 },
    { totalMb: 900, freeMb: 20 },
    { totalMb: 50, freeMb: 30 },
  ];
  expect(groupTotals(storages)).toEqual({ totalMb: 900, freeMb: 20 });
});

test("storages that have not reported do not count", () => {
  expect(
    groupTotals([
      { totalMb: 0, freeMb: 0 },
      { totalMb: 100, freeMb: 50 },
    ]),
  ).toEqual({ totalMb: 100, freeMb: 50 });
  expect(groupTotals([{ totalMb: 0, freeMb: 0 }])).toBeUndefined();
});
