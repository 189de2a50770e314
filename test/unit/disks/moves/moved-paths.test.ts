import { expect, test } from "vitest";
import { movedPaths } from "#disks/moves/moved-paths.ts";
import { DiskId } from "#model/disk-id.ts";
import { somePassport } from "../../../support/passports.ts";

const path = { index: 1, id: "e".repeat(32), directory: "store/M01" };
const passport = (digit: string, moves: number, id: string | undefined = path.id) =>
  somePassport({ diskId: DiskId(digit.repeat(32)), paths: [{ ...path, id, moves }] });
const known = (digit: string, moves: number) => {
  const { diskId, paths } = passport(digit, moves);
  return { diskId, paths, role: "store" as const, seenAt: 1 };
};

test("a path went to the disk that has it with more moves, and to no other", () => {
  const source = passport("a", 1);
  const found = (other: ReturnType<typeof passport>) => movedPaths(source, [source, other], []);
  expect(found(passport("b", 2))).toEqual([{ index: 1, isSeen: true }]);
  expect(found(passport("b", 1))).toEqual([]);
  expect(found(passport("b", 0))).toEqual([]);
  expect(found(passport("b", 2, "f".repeat(32)))).toEqual([]);
  const unopened = somePassport({ paths: [{ ...path, id: undefined }] });
  expect(movedPaths(unopened, [passport("b", 2)], [])).toEqual([]);
});

test("what is remembered counts of disks that are away alone", () => {
  const source = passport("a", 0);
  expect(movedPaths(source, [source], [known("b", 1)])).toEqual([{ index: 1, isSeen: false }]);
  const without = somePassport({ diskId: DiskId("b".repeat(32)), paths: [] });
  expect(movedPaths(source, [source, without], [known("b", 1)])).toEqual([]);
  expect(movedPaths(source, [source], [{ ...known("b", 1), role: "replaced" }])).toEqual([]);
});
