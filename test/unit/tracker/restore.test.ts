import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import { savedGroup } from "#tracker/group-record.ts";
import { restoreGroups, statusAfterRestart } from "#tracker/restore.ts";
import { StorageIdTable } from "#tracker/storage-identity.ts";
import { savedStorage } from "#tracker/storage-record.ts";
import type { SavedTracker } from "#tracker/tracker-state.ts";
import { addStorage, groupOf, registryHarness } from "../../support/tracker-registry.ts";

function saved(...addresses: readonly string[]): SavedTracker {
  const { registry } = registryHarness();
  for (const address of addresses) addStorage(registry, address);
  const group = groupOf(registry);
  group.storagePort = 23000;
  group.trunkServer = StorageId("10.0.0.1");
  return {
    groups: [savedGroup(group)],
    storages: group.storages.map(savedStorage),
    changelog: [],
    times: { upTime: 0, lastCheckTime: 0 },
  };
}

test("everything that was available is away, what is being filled goes on", () => {
  const { init, waitSync, syncing, offline, online, active, recovery } = storageStatus;
  const all = [init, waitSync, syncing, offline, online, active, recovery];
  expect(all.map(statusAfterRestart)).toEqual([
    init,
    waitSync,
    syncing,
    offline,
    offline,
    offline,
    offline,
  ]);
});

test("a restored group is as it was, and new storages join behind the old ones", () => {
  const before = saved("10.0.0.2", "10.0.0.1");
  const { registry, log, writer, clock } = registryHarness();
  restoreGroups(registry, before, { clock, log, storageIds: undefined });
  const group = groupOf(registry);
  expect(savedGroup(group)).toEqual(before.groups[0]);
  expect(group.storages.map(savedStorage)).toEqual(
    before.storages.map((storage) => ({ ...storage, status: storageStatus.offline })),
  );
  expect(group.trunkServerVersion).toBe(1);
  expect(addStorage(registry, "10.0.0.0").joinOrder).toBe(2);
  expect(writer.urgent).toBe(true);
});

test("the storage ids file has the last word on who there is, where and with which mode", () => {
  const before = saved("10.0.0.1", "10.0.0.2");
  const { registry, log, records, clock } = registryHarness();
  const entry = {
    id: StorageId("10.0.0.1"),
    group: GroupName("group1"),
    addresses: ["10.0.0.7", "59.1.2.3"],
    port: 23000,
    mode: readWriteMode.read,
  };
  restoreGroups(registry, before, { clock, log, storageIds: new StorageIdTable([entry]) });
  const storages = groupOf(registry).storages;
  expect(storages.map(({ id, addresses, mode }) => ({ id, addresses, mode }))).toEqual([
    { id: "10.0.0.1", addresses: ["10.0.0.7", "59.1.2.3"], mode: readWriteMode.read },
  ]);
  expect(records.map((record) => record.event)).toEqual(["storage-not-in-ids-file"]);
});
