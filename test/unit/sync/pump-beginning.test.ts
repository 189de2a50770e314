import { expect, test } from "vitest";
import { binlogStart } from "#filestore/binlog/position.ts";
import { untilMarginSeconds } from "#sync/limits.ts";
import { pumpBeginning } from "#sync/pump-beginning.ts";
import type { PumpStart } from "#sync/pump-parts.ts";
import type { SyncMark } from "#sync/sync-cursor.ts";

const ordinary = { needSyncOld: false, oldDone: false, until: 0 };
const filling = { needSyncOld: true, oldDone: false, until: 5000 };
const done = { ...filling, oldDone: true };
const position = { index: 1, offset: 70 };
const start: PumpStart = { plan: ordinary, startOver: false, peerHolds: 0 };

function mark(plan: PumpStart["plan"]): SyncMark {
  return { ...plan, position, scanned: 9, synced: 8 };
}

test("a mark says where to go on and whether old files are owed, and nothing is asked", () => {
  const goesOn = { position, peerHolds: 0, skipUntil: 0, asksFirst: false };
  expect(pumpBeginning(start, mark(ordinary), 0)).toEqual({ ...goesOn, plan: ordinary });
  const ended = pumpBeginning({ ...start, plan: done }, mark(done), 0);
  expect(ended).toEqual({ ...goesOn, plan: done });
});

test("without a mark, after a start over, and in a fill the peer is asked what it has", () => {
  const anew = { position: binlogStart, peerHolds: 0, skipUntil: 0, asksFirst: true };
  expect(pumpBeginning(start, undefined, 0)).toEqual({ ...anew, plan: ordinary });
  expect(pumpBeginning({ ...start, startOver: true }, mark(done), 0)).toEqual({
    ...{ ...anew, plan: ordinary },
  });
  const half = pumpBeginning({ ...start, plan: filling }, mark(filling), 0);
  expect(half).toEqual({ ...anew, plan: filling, position });
});

test("who was replaced in the middle of a fill goes on with its own changes alone", () => {
  const { plan, position: at, asksFirst } = pumpBeginning(start, mark(filling), 0);
  expect([plan, at, asksFirst]).toEqual([ordinary, position, false]);
});

test("what the peer holds counts where nothing was set aside, and old records up to the deadline are left out", () => {
  const how = { plan: { ...ordinary, until: 5000 }, startOver: true, peerHolds: 4000 };
  expect(pumpBeginning(how, undefined, 0)).toMatchObject({
    ...{ peerHolds: 4000, skipUntil: 4000 - untilMarginSeconds },
  });
  expect(pumpBeginning(how, undefined, 2)).toMatchObject({ peerHolds: 0 });
  expect(pumpBeginning({ ...how, peerHolds: 0 }, undefined, 0).skipUntil).toBe(
    5000 - untilMarginSeconds,
  );
  expect(pumpBeginning({ ...how, plan: filling }, undefined, 0).skipUntil).toBe(0);
});
