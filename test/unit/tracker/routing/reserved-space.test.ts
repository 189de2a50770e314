import { expect, test } from "vitest";
import { groupHasRoom, pathHasRoom, reservedMb } from "#tracker/routing/reserved-space.ts";

const oneGb = { kind: "bytes", bytes: 1024 ** 3 } as const;
const fifth = { kind: "percent", percent: 20 } as const;

test("a size is reserved in whole MB, a share of what there is", () => {
  expect(reservedMb(10_000, { kind: "bytes", bytes: 1024 ** 2 * 3 + 5 })).toBe(3);
  expect(reservedMb(10_001, fifth)).toBe(2000);
});

test("a group has room when more than the reserve is free", () => {
  const free = (freeMb: number): boolean => groupHasRoom({ totalMb: 10_000, freeMb }, oneGb);
  expect([free(1024), free(1025)]).toEqual([false, true]);
  const share = (freeMb: number): boolean => groupHasRoom({ totalMb: 10_000, freeMb }, fifth);
  expect([share(2000), share(2001)]).toEqual([false, true]);
});

test("free space in trunk files counts where it may be used", () => {
  const group = { totalMb: 10_000, freeMb: 1000 };
  expect([groupHasRoom(group, oneGb, 24), groupHasRoom(group, oneGb, 25)]).toEqual([false, true]);
  const half = { kind: "percent", percent: 50 } as const;
  expect([groupHasRoom(group, half, 4000), groupHasRoom(group, half, 4001)]).toEqual([false, true]);
});

test("each path of a storage bears its part of a reserved size", () => {
  const rule = { reserved: oneGb, pathCount: 3 };
  const free = (freeMb: number): boolean => pathHasRoom({ totalMb: 10_000, freeMb }, rule);
  expect([free(341), free(342)]).toEqual([false, true]);
});

test("a reserved share applies to each path by itself", () => {
  const rule = { reserved: fifth, pathCount: 3 };
  const free = (freeMb: number, more = 0): boolean =>
    pathHasRoom({ totalMb: 1000, freeMb }, rule, more);
  expect([free(200), free(201), free(150, 51)]).toEqual([false, true, true]);
});

test("what has no size has no room under a share", () => {
  expect(groupHasRoom({ totalMb: 0, freeMb: 0 }, fifth)).toBe(false);
  expect(pathHasRoom({ totalMb: 0, freeMb: 0 }, { reserved: fifth, pathCount: 1 }, 10)).toBe(false);
});
