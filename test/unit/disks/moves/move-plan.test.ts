/** Where store paths go when a disk is retired, or a new one is there. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type MovableDisk,
  type PlannedMove,
  planRebalance,
  planRetire,
  roomiestDisk,
} from "#disks/moves/move-plan.ts";
import { DiskId } from "#model/disk-id.ts";

const GB = 1e9;

function disk(digit: string, fields: Partial<MovableDisk> & { indexes?: number[] } = {}) {
  const { indexes = [], ...rest } = fields;
  const paths = indexes.map((index) => ({ index, usedBytes: 100 * GB }));
  const sizes = { totalBytes: 1000 * GB, freeBytes: 500 * GB };
  const diskId = DiskId(digit.repeat(32));
  return { diskId, name: `disk ${digit}`, paths, ...sizes, unfit: undefined, ...rest };
}

const words = (moves: readonly PlannedMove[]) =>
  moves.map(({ storePath, from, to }) => `${storePath}: ${from.name} > ${to.name}`);

test("paths of a retired disk go to those with most room, which are filled one after the other", () => {
  const old = disk("a", { indexes: [0, 3] });
  const small = disk("b", { indexes: [1], freeBytes: 150 * GB });
  const large = disk("c", { indexes: [2], freeBytes: 200 * GB });
  expect(words(planRetire(old, [old, small, large]))).toEqual([
    "0: disk a > disk c",
    "3: disk a > disk b",
  ]);
});

test("where there is no room, it says how much is needed, how much there is, and what to do", () => {
  const old = disk("a", { indexes: [0] });
  const others = [disk("b", { freeBytes: 60 * GB }), disk("c", { unfit: "is failing" })];
  expect(() => planRetire(old, [old, ...others])).toThrow(
    "M00 of disk a takes 100 GB, and no other disk has room for that (disk b 40 GB to spare; disk c is failing): add a disk first",
  );
  expect(() => planRetire(old, [old])).toThrow("there is none");
  expect(planRetire(disk("a"), [])).toEqual([]);
});

test("guests go to a disk that has fewer; nothing moves where nothing is to be gained", () => {
  const host = disk("a", { indexes: [0, 1, 2] });
  expect(words(planRebalance([host, disk("b"), disk("c")], 1))).toEqual([
    "2: disk a > disk b",
    "1: disk a > disk c",
  ]);
  expect(planRebalance([host, disk("b", { indexes: [3, 4] })], 1)).toHaveLength(0);
  expect(planRebalance([disk("a", { indexes: [0] }), disk("b")], 1)).toEqual([]);
  expect(planRebalance([host, disk("b")], 4)).toEqual([]);
  expect(planRebalance([host, disk("b", { freeBytes: 50 * GB })], 1)).toEqual([]);
});

test("a new path is made where there is most room", () => {
  const disks = [disk("a"), disk("b", { freeBytes: 900 * GB }), disk("c", { unfit: "no" })];
  expect(roomiestDisk(disks, 0)?.name).toBe("disk b");
  expect(roomiestDisk(disks, 2000 * GB)).toBeUndefined();
});

const anyDisks = fc
  .array(
    fc.record({
      paths: fc.array(fc.nat(50), { maxLength: 4 }),
      free: fc.nat(300),
      isUnfit: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((disks) => {
    let index = 0;
    return disks.map(
      ({ paths, free, isUnfit }, at): MovableDisk => ({
        diskId: DiskId(at.toString(16).repeat(32)),
        name: `disk ${at}`,
        paths: paths.map((used) => ({ index: index++, usedBytes: used })),
        totalBytes: 400,
        freeBytes: free,
        unfit: isUnfit ? "is unfit" : undefined,
      }),
    );
  });

function requireFits(moves: readonly PlannedMove[]): void {
  const sums = new Map<MovableDisk, number>();
  for (const { to, from, bytes } of moves) {
    expect(to).not.toBe(from);
    expect(to.unfit).toBeUndefined();
    sums.set(to, (sums.get(to) ?? 0) + bytes);
  }
  for (const [to, bytes] of sums) expect(bytes).toBeLessThanOrEqual(to.freeBytes);
}

test("no plan puts more on a disk than it has room for, or anything on one that is unfit", () => {
  fc.assert(
    fc.property(anyDisks, fc.integer({ min: 1, max: 4 }), (disks, pathsPerDisk) => {
      const moves = planRebalance(disks, pathsPerDisk);
      requireFits(moves);
      expect(new Set(moves.map(({ storePath }) => storePath)).size).toBe(moves.length);
      const [first] = disks;
      if (first === undefined) return;
      let retired: readonly PlannedMove[];
      try {
        retired = planRetire(first, disks);
      } catch {
        return;
      }
      requireFits(retired);
      expect(retired.map(({ storePath }) => storePath)).toEqual(
        first.paths.map(({ index }) => index),
      );
    }),
  );
});
