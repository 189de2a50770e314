import { expect, test } from "vitest";
import type { KnownDisk } from "#disks/disk-map.ts";
import { lostDisks, requireAbsent } from "#disks/moves/new-disk-paths.ts";
import { DiskId } from "#model/disk-id.ts";

const known = (digit: string, indexes: readonly number[], seenAt: number): KnownDisk => ({
  diskId: DiskId(digit.repeat(32)),
  role: "store",
  seenAt,
  paths: indexes.map((index) => ({ index, id: undefined, directory: `store/${index}` })),
});

test("disks whose store paths nothing carries are lost, the first that went first", () => {
  const disks = [known("a", [0], 5), known("b", [1, 2], 9), known("c", [3], 7)];
  const found = lostDisks([...disks, { ...known("d", [4], 1), role: "replaced" }], [1, 2, 3, 4]);
  expect(found.map(({ disk, storePaths }) => [disk.diskId[0], storePaths])).toEqual([
    ["c", [3]],
    ["b", [1, 2]],
  ]);
});

test("what was agreed on must still be without a disk", () => {
  expect(() => requireAbsent([1], [1, 2])).not.toThrow();
  expect(() => requireAbsent([], [])).not.toThrow();
  expect(() => requireAbsent([1, 3], [1, 2])).toThrow("M03 is not without a disk");
});
