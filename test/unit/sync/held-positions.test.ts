import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { unknownGaps } from "#protocol/peer/replication.ts";
import { type HeldPosition, HeldPositions, maxHeldSources } from "#sync/held-positions.ts";

const [a, b] = [StorageId("10.0.0.1"), StorageId("10.0.0.2")];

class Kept {
  saved: ReadonlyMap<StorageId, HeldPosition> = new Map();
  saves = 0;
  loadHeld = () => this.saved;
  saveHeld(held: ReadonlyMap<StorageId, HeldPosition>): void {
    this.saved = new Map(held);
    this.saves += 1;
  }
}

test("the farther position counts, in whatever order messages come", () => {
  const held = new HeldPositions(new Kept());
  held.learn(a, { heldUntil: 10, gaps: 1 });
  held.learn(a, { heldUntil: 9, gaps: 0 });
  expect(held.of(a)).toEqual({ heldUntil: 10, gaps: 1 });
  held.learn(a, { heldUntil: 10, gaps: 0 });
  expect(held.of(a)?.gaps).toBe(1);
  held.learn(a, { heldUntil: 11, gaps: 0 });
  expect(held.of(a)).toEqual({ heldUntil: 11, gaps: 0 });
  held.learn(b, { heldUntil: 0, gaps: 0 });
  expect(held.of(b)).toBeUndefined();
});

test("positions survive a restart, and are written only where something changed", () => {
  const kept = new Kept();
  const held = new HeldPositions(kept);
  held.learn(a, { heldUntil: 10, gaps: 2 });
  held.save();
  held.save();
  expect(kept.saves).toBe(1);
  expect(new HeldPositions(kept).of(a)).toEqual({ heldUntil: 10, gaps: 2 });
});

test("with a lost store path nothing is held, nothing is learnt until it is whole again, and a restart knows no more", () => {
  const kept = new Kept();
  const held = new HeldPositions(kept);
  held.learn(a, { heldUntil: 10, gaps: 0 });
  held.save();
  held.suspend("store path 1 was lost");
  held.learn(a, { heldUntil: 20, gaps: 0 });
  expect(held.of(a)).toBeUndefined();
  expect(held.entries()).toEqual([]);
  expect(held.suspended).toBe("store path 1 was lost");
  expect(new HeldPositions(kept).of(a)).toBeUndefined();
  held.resume();
  held.learn(a, { heldUntil: 21, gaps: 0 });
  expect(held.entries()).toEqual([{ id: a, until: 21 }]);
});

test("a source whose clock is behind what it told has begun anew", () => {
  const held = new HeldPositions(new Kept());
  held.learn(a, { heldUntil: 10, gaps: 0 });
  held.compareClock(a, 10);
  expect(held.of(a)?.heldUntil).toBe(10);
  held.compareClock(a, 9);
  expect(held.of(a)).toBeUndefined();
});

test("senders are told of what has no gaps; a source may move to another name", () => {
  const held = new HeldPositions(new Kept());
  held.learn(a, { heldUntil: 10, gaps: 1 });
  held.learn(b, { heldUntil: 20, gaps: 0 });
  expect(held.trusted()).toEqual([{ id: b, until: 20 }]);
  held.rename(b, StorageId("10.0.0.9"));
  expect(held.trusted()).toEqual([{ id: "10.0.0.9", until: 20 }]);
});

test("of a source that lost a disk files are compared up to what it tells, and nothing is said to be gone", () => {
  const held = new HeldPositions(new Kept());
  held.learn(a, { heldUntil: 10, gaps: unknownGaps });
  held.learn(b, { heldUntil: 10, gaps: 3 });
  expect(held.of(a)?.gaps).toBe(unknownGaps);
  expect([held.trusted(), held.compared()]).toEqual([[], [{ id: a, until: 10 }]]);
  held.learn(a, { heldUntil: 11, gaps: 0 });
  expect(held.trusted()).toEqual([{ id: a, until: 11 }]);
});

test("strangers cannot fill the memory", () => {
  const held = new HeldPositions(new Kept());
  for (let at = 0; at < maxHeldSources + 10; at += 1) {
    held.learn(StorageId(`s${at}`), { heldUntil: 1, gaps: 0 });
  }
  expect(held.entries().length).toBe(maxHeldSources);
});

test("while files are in doubt nothing is told on, and what sources tell is learnt for comparisons", () => {
  const held = new HeldPositions(new Kept());
  held.learn(a, { heldUntil: 10, gaps: 0 });
  held.doubt("files may have been lost");
  held.learn(a, { heldUntil: 12, gaps: 0 });
  held.learn(b, { heldUntil: 5, gaps: 1 });
  expect(held.suspended).toBe("files may have been lost");
  expect([held.of(a), held.entries(), held.trusted()]).toEqual([undefined, [], []]);
  expect(held.compared()).toEqual([{ id: a, until: 12 }]);
  held.doubt(undefined);
  expect(held.suspended).toBe(undefined);
  expect(held.of(a)?.heldUntil).toBe(12);
});

test("while it is not known whether a store path has its files, nothing counts as held", () => {
  const held = new HeldPositions(new Kept());
  held.learn(a, { heldUntil: 10, gaps: 0 });
  held.unknown = () => "a store path was not looked at yet";
  expect([held.suspended, held.of(a)]).toEqual(["a store path was not looked at yet", undefined]);
  held.unknown = () => undefined;
  expect(held.of(a)?.heldUntil).toBe(10);
});
