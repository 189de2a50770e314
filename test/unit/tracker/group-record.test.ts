import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import { newGroupRecord, reindexStorages, savedGroup } from "#tracker/group-record.ts";
import { addressKey } from "#tracker/routing/name-facts.ts";
import { newStorageRecord, type StorageRecord } from "#tracker/storage-record.ts";

const group = newGroupRecord(GroupName("group1"));

function record(id: string, addresses: readonly string[], port: number): StorageRecord {
  return newStorageRecord(group, {
    id: StorageId(id),
    addresses,
    port,
    mode: readWriteMode.both,
    status: storageStatus.active,
  });
}

test("the source of a file is found by number and by each address, of several by the group's port", () => {
  group.storagePort = 23001;
  const a = record("7", ["10.0.0.1", "59.1.2.3"], 23000);
  const b = record("100001", ["10.0.0.1"], 23001);
  reindexStorages(group, [a, b]);
  const found = (key: number | undefined): unknown => group.sources.get(key ?? 0)?.id;
  expect([found(7), found(100001), found(addressKey("59.1.2.3"))]).toEqual(["7", "100001", "7"]);
  expect(found(addressKey("10.0.0.1"))).toBe("100001");
  expect(group.byId.get("7")).toBe(a);
});

test("joins are numbered in their order", () => {
  const fresh = newGroupRecord(GroupName("group2"));
  const identity = { addresses: ["10.0.0.1"], port: 1, mode: readWriteMode.both };
  const orders = ["b", "a"].map(
    (id) =>
      newStorageRecord(fresh, { ...identity, id: StorageId(id), status: storageStatus.init })
        .joinOrder,
  );
  expect(orders).toEqual([0, 1]);
});

test("what is saved of a group is what its storages agreed on, and its trunk server", () => {
  expect(savedGroup(newGroupRecord(GroupName("group2")))).toEqual({
    name: "group2",
    storagePort: 0,
    storePathCount: 0,
    subdirCount: 0,
    currentTrunkFileId: 0,
    trunkServer: undefined,
    lastTrunkServer: undefined,
  });
});
