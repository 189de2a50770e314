import { expect, test } from "vitest";
import {
  isAllOurs,
  type LeaseOffice,
  packingMode,
  raiseFileId,
  skipUnreportedFileIds,
  takeFileIds,
} from "#tracker/trunk-lease.ts";
import { addStorage, groupOf, registryHarness } from "../../support/tracker-registry.ts";

const none = { first: 0, count: 0 };
const alone: LeaseOffice = { version: 0, isAlone: true, needed: 0, seenByFollowers: [] };
const elected: LeaseOffice = { version: 3, isAlone: false, needed: 1, seenByFollowers: [] };

test("a group packs by leases as long as no C storage is in it", () => {
  const { registry } = registryHarness();
  const ours = addStorage(registry, "10.0.0.1");
  const other = addStorage(registry, "10.0.0.2");
  const group = groupOf(registry);
  ours.dialect = "cairn";
  expect([isAllOurs(group), packingMode(group, true)]).toEqual([true, "leased"]);
  other.dialect = "original";
  expect([packingMode(group, true), packingMode(group, false)]).toEqual(["served", "off"]);
});

test("numbers are taken one after the other, in bounded portions, up to the last one", () => {
  const { registry } = registryHarness();
  addStorage(registry, "10.0.0.1");
  const group = groupOf(registry);
  expect(takeFileIds(group, 0, alone)).toEqual({ first: 0, count: 0 });
  expect(takeFileIds(group, 3, alone)).toEqual({ first: 1, count: 3 });
  expect(takeFileIds(group, 1_000_000, alone)).toEqual({ first: 4, count: 256 });
  skipUnreportedFileIds(group);
  expect(takeFileIds(group, 1, alone)).toEqual({ first: 1260, count: 1 });
  group.currentTrunkFileId = 0x7ffffffe;
  expect(takeFileIds(group, 4, alone)).toEqual({ first: 0x7fffffff, count: 1 });
  expect(takeFileIds(group, 4, alone)).toEqual({ first: 0, count: 0 });
  skipUnreportedFileIds(group);
  expect(group.currentTrunkFileId).toBe(0x7fffffff);
});

test("a new leader of several begins far above what it knows, and only when a majority has read of that", () => {
  const { registry } = registryHarness();
  const group = groupOf(registry);
  group.currentTrunkFileId = 20;
  const take = (...seenByFollowers: readonly number[]): unknown =>
    takeFileIds(group, 2, { ...elected, seenByFollowers });
  expect(take()).toEqual(none);
  expect(group.currentTrunkFileId).toBe(20);
  expect(take(20)).toEqual(none);
  expect(group.currentTrunkFileId).toBe(10_020);
  expect(take(10_019)).toEqual(none);
  expect(take(10_020)).toEqual({ first: 10_021, count: 2 });
  expect(take(10_020, 0)).toEqual({ first: 10_023, count: 2 });
  // The next time in office begins anew.
  const next = { ...elected, version: 5, seenByFollowers: [99_999] };
  expect(takeFileIds(group, 1, next)).toEqual({ first: 20_025, count: 1 });
  // Whoever leads alone by now was not always alone.
  expect(takeFileIds(group, 1, { ...alone, version: 6 }).first).toBe(30_026);
});

test("a leader of several stays close to what a majority has read, and a successor passes over twice as much", () => {
  const { registry } = registryHarness();
  const group = groupOf(registry);
  const office = { ...elected, seenByFollowers: [10_000, 10_000, 0], needed: 2 };
  let given = 0;
  for (let at = 0; at < 100; at += 1) given += takeFileIds(group, 256, office).count;
  expect([given, given * 2 < 10_000]).toEqual([4000, true]);
  expect(takeFileIds(group, 256, { ...office, seenByFollowers: [14_000, 10_000] })).toEqual(none);
  expect(takeFileIds(group, 256, { ...office, seenByFollowers: [14_000, 10_001] }).count).toBe(1);
});

test("the counter only grows, whoever tells of it", () => {
  const { registry } = registryHarness();
  const group = groupOf(registry);
  const told = [5, 5, 4, 0x80000000, 6].map((fileId) => raiseFileId(group, fileId));
  expect([told, group.currentTrunkFileId]).toEqual([[true, false, false, false, true], 6]);
});
