import { expect, test } from "vitest";
import { followingPassport, ownedPassport } from "#disks/passport-changes.ts";
import { someNode, somePassport } from "../../support/passports.ts";

const at = 1_900_000_000;
const { owner } = someNode(1);
const other = someNode(2).owner;

test("a passport follows the ids of its store paths", () => {
  const passport = somePassport({
    paths: [
      { index: 0, id: undefined, directory: "store/M00" },
      { index: 1, id: "b".repeat(32), directory: "store/M01" },
    ],
  });
  expect(followingPassport(passport, () => undefined, { at, owner })).toBeUndefined();
  const changed = followingPassport(
    passport,
    (index) => (index === 0 ? "a".repeat(32) : undefined),
    { at, owner },
  );
  expect(changed?.paths.map(({ id }) => id)).toEqual(["a".repeat(32), "b".repeat(32)]);
  expect(changed).toMatchObject({ revision: 2 });
  expect(changed?.history.at(-1)).toEqual({ at, what: "store path opened", node: owner.id });
});

test("another owner is a revision with where it came from", () => {
  const passport = somePassport();
  expect(ownedPassport(passport, { at, owner })).toBeUndefined();
  const changed = ownedPassport(passport, { at, owner: other });
  expect(changed).toMatchObject({ revision: 2, node: other });
  expect(changed?.history.at(-1)?.what).toBe(`adopted from box 1 (${owner.id})`);
});
