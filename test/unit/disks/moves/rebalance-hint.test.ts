/** When a rebalance is hinted at. */
import { expect, test } from "vitest";
import { rebalanceHint } from "#disks/moves/rebalance-hint.ts";

const disk = (name: string, paths: number, isFit = true) => ({ name, paths, isFit });

test("a disk that carries several store paths beside one that carries fewer is worth a word", () => {
  const hint = rebalanceHint([disk("sda", 1), disk("sdb", 2), disk("sdc", 0)], 1);
  expect(hint).toContain("sdb carries 2 store paths and sdc none");
  expect(hint).toContain("cairn disks rebalance");
  expect(rebalanceHint([disk("sda", 4), disk("sdb", 2)], 2)).toContain("sdb 2");
});

test("nothing is said where nothing would be gained, or nowhere is a place", () => {
  expect(rebalanceHint([], 1)).toBeUndefined();
  expect(rebalanceHint([disk("sda", 2), disk("sdb", 1)], 1)).toBeUndefined();
  expect(rebalanceHint([disk("sda", 2), disk("sdb", 0)], 2)).toBeUndefined();
  expect(rebalanceHint([disk("sda", 2), disk("sdb", 0, false)], 1)).toBeUndefined();
});
