import { expect, test } from "vitest";
import { minTombstones, Tombstones, tombstoneMs } from "#sync/tombstones.ts";

test("what was deleted is remembered for a while, unless it is made again", () => {
  const tombstones = new Tombstones();
  tombstones.add("a", 0);
  tombstones.add("b", 10);
  expect(tombstones.has("a", tombstoneMs - 1)).toBe(true);
  expect(tombstones.has("a", tombstoneMs)).toBe(false);
  tombstones.remove("b");
  expect(tombstones.has("b", 11)).toBe(false);
});

test("what is older than it may be is forgotten in the end", () => {
  const tombstones = new Tombstones();
  tombstones.add("a", 0);
  tombstones.add("b", tombstoneMs);
  expect(tombstones.has("b", tombstoneMs + 1)).toBe(true);
  tombstones.add("c", 2 * tombstoneMs);
  expect(tombstones.size).toBe(2);
});

test("as many as promised are remembered, and at most twice as many", () => {
  const tombstones = new Tombstones();
  const count = 5 * minTombstones + 7;
  for (let at = 0; at < count; at += 1) {
    tombstones.add(String(at), 0);
    expect(tombstones.size).toBeLessThanOrEqual(2 * minTombstones);
  }
  expect(tombstones.has("0", 1)).toBe(false);
  for (let at = count - minTombstones; at < count; at += 1)
    expect(tombstones.has(String(at), 1)).toBe(true);
});

test("a name that is deleted again is remembered from then on, and made again it is forgotten in both generations", () => {
  const tombstones = new Tombstones();
  tombstones.add("a", 0);
  for (let at = 1; at < minTombstones; at += 1) tombstones.add(String(at), 0);
  tombstones.add("a", 1000);
  expect(tombstones.has("a", tombstoneMs + 1)).toBe(true);
  tombstones.remove("a");
  expect(tombstones.has("a", 1001)).toBe(false);
});
