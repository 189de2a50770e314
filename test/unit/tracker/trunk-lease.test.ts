import { expect, test } from "vitest";
import {
  isAllOurs,
  packingMode,
  skipUnreportedFileIds,
  takeFileIds,
} from "#tracker/trunk-lease.ts";
import { addStorage, groupOf, registryHarness } from "../../support/tracker-registry.ts";

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
  expect(takeFileIds(group, 0)).toEqual({ first: 0, count: 0 });
  expect(takeFileIds(group, 3)).toEqual({ first: 1, count: 3 });
  expect(takeFileIds(group, 1_000_000)).toEqual({ first: 4, count: 256 });
  skipUnreportedFileIds(group);
  expect(takeFileIds(group, 1)).toEqual({ first: 1260, count: 1 });
  group.currentTrunkFileId = 0x7ffffffe;
  expect(takeFileIds(group, 4)).toEqual({ first: 0x7fffffff, count: 1 });
  expect(takeFileIds(group, 4)).toEqual({ first: 0, count: 0 });
  skipUnreportedFileIds(group);
  expect(group.currentTrunkFileId).toBe(0x7fffffff);
});
