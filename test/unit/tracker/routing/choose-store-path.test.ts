import { expect, test } from "vitest";
import {
  chooseStorePath,
  mostFreePath,
  type PathRules,
} from "#tracker/routing/choose-store-path.ts";
import { storageView } from "../../../support/tracker-views.ts";

const rules: PathRules = {
  storePath: "round-robin",
  reservedSpace: { kind: "bytes", bytes: 300 * 1024 ** 2 },
  trunkEnabled: false,
};
const paths = (...freeMb: number[]): { totalMb: number; freeMb: number }[] =>
  freeMb.map((free) => ({ totalMb: 1000, freeMb: free }));
const group = { storePathCount: 3, trunkFreeMb: 0 };

test("round robin takes the paths in turn and passes over full ones", () => {
  let current = 0;
  const indices = Array.from({ length: 4 }, () => {
    const storage = storageView("a", {
      storePaths: paths(500, 100, 500),
      currentWritePath: current,
    });
    const chosen = chooseStorePath(storage, group, rules);
    current = chosen?.next ?? -1;
    return chosen?.index;
  });
  expect(indices).toEqual([0, 2, 0, 2]);
});

test("most-free stays on its path, and moves only where that is full", () => {
  const mostFree: PathRules = { ...rules, storePath: "most-free" };
  const on = (currentWritePath: number): unknown =>
    chooseStorePath(
      storageView("a", { storePaths: paths(500, 100, 900), currentWritePath }),
      group,
      mostFree,
    );
  expect([on(0), on(1)]).toEqual([
    { index: 0, next: 0 },
    { index: 2, next: 2 },
  ]);
});

test("a current path beyond the count starts at the first", () => {
  const storage = storageView("a", { storePaths: paths(500, 500, 500), currentWritePath: 9 });
  expect(chooseStorePath(storage, group, rules)).toEqual({ index: 0, next: 1 });
});

test("paths beyond the group's count are not used, nor any before they were reported", () => {
  const storage = storageView("a", { storePaths: paths(50, 50, 50, 900) });
  expect(chooseStorePath(storage, group, rules)).toBeUndefined();
  expect(chooseStorePath(storageView("a", { storePaths: [] }), group, rules)).toBeUndefined();
});

test("free space in trunk files helps only where they are on, and only after every path", () => {
  const storage = storageView("a", { storePaths: paths(60, 50, 40), currentWritePath: 1 });
  const rich = { storePathCount: 3, trunkFreeMb: 51 };
  expect(chooseStorePath(storage, rich, rules)).toBeUndefined();
  expect(chooseStorePath(storage, rich, { ...rules, trunkEnabled: true })).toEqual({
    index: 1,
    next: 2,
  });
});

test("a disk report moves most-free to a path with more space only", () => {
  expect(mostFreePath(paths(5, 9, 9), 0)).toBe(1);
  expect(mostFreePath(paths(5, 9, 9), 2)).toBe(2);
  expect(mostFreePath(paths(5, 1), 7)).toBe(0);
});
