/** The storage's own choice of a store path, by the rules of protocol §9.3 and §9.4. */
import { expect, test } from "vitest";
import { hasRoom, type PathSpace, selectPath } from "#filestore/path-selector.ts";

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

function path(index: number, freeMb: number, writable = true): PathSpace {
  return {
    index,
    writable,
    avoided: false,
    totalBytes: 100 * gibibyte,
    freeBytes: freeMb * mebibyte,
  };
}

const twoPaths = { reserved: { kind: "bytes", bytes: gibibyte }, pathCount: 2 } as const;

test("the reserve is divided among the paths, and the comparison is strict", () => {
  expect(hasRoom(path(0, 512), 0, twoPaths)).toBe(false);
  expect(hasRoom(path(0, 513), 0, twoPaths)).toBe(true);
  expect(hasRoom(path(0, 513), mebibyte, twoPaths)).toBe(false);
});

test("a reserve in percent is one of the path's own size", () => {
  const limit = { reserved: { kind: "percent", percent: 10 }, pathCount: 1 } as const;
  expect(hasRoom(path(0, 10 * 1024), 0, limit)).toBe(false);
  expect(hasRoom(path(0, 10 * 1024 + 1), 0, limit)).toBe(true);
  expect(hasRoom({ ...path(0, 5), totalBytes: 0 }, 0, limit)).toBe(false);
});

test("round robin takes the paths in turn and passes over those without room", () => {
  const paths = [path(0, 4096), path(1, 10), path(2, 4096, false), path(3, 4096)];
  const how = { policy: "round-robin", reserved: twoPaths.reserved } as const;
  const chosen: number[] = [];
  let start = 0;
  for (let turn = 0; turn < 4; turn += 1) {
    const found = selectPath(paths, 0, { ...how, start });
    chosen.push(found?.chosen.index ?? -1);
    start = found?.nextStart ?? 0;
  }
  expect(chosen).toEqual([0, 3, 0, 3]);
});

test("most free takes the emptiest path, the first of equals", () => {
  const how = { policy: "most-free", start: 0, reserved: twoPaths.reserved } as const;
  const paths = [path(0, 2048), path(1, 4096), path(2, 4096), path(3, 9000, false)];
  expect(selectPath(paths, 0, how)?.chosen.index).toBe(1);
});

test("nothing is chosen where nothing has room", () => {
  const how = { policy: "round-robin", start: 1, reserved: twoPaths.reserved } as const;
  expect(selectPath([path(0, 1), path(1, 1)], 0, how)).toBeUndefined();
  expect(selectPath([], 0, how)).toBeUndefined();
});

test("a path that hangs or refuses is chosen only where no other fits", () => {
  const how = { policy: "round-robin", start: 0, reserved: twoPaths.reserved } as const;
  const avoided = { ...path(0, 4096), avoided: true };
  expect(selectPath([avoided, path(1, 4096)], 0, how)?.chosen.index).toBe(1);
  expect(selectPath([avoided, path(1, 1)], 0, how)?.chosen.index).toBe(0);
});

test("paths on one file system answer for its reserve together", () => {
  const shared = { ...path(0, 1000), sharers: 2 };
  expect(hasRoom(shared, 0, twoPaths)).toBe(false);
  expect(hasRoom({ ...shared, freeBytes: 1025 * mebibyte }, 0, twoPaths)).toBe(true);
});
