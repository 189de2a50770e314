import { expect, test } from "vitest";
import { storageStatus } from "#model/storage-status.ts";
import {
  deleteGroup,
  deleteStorage,
  getLeader,
  listGroups,
  listOneGroup,
  listStorages,
  setTrunkServer,
} from "#protocol/fastdfs/tracker-admin.ts";
import { storageBeat } from "#protocol/fastdfs/tracker-reports.ts";
import { statisticsOf } from "#tracker/storage-record.ts";
import { eventually, refusal, TrackerHarness } from "../../../support/tracker-harness.ts";
import { addStorage, registryHarness } from "../../../support/tracker-registry.ts";

const { active, offline, deleted } = storageStatus;

test("groups are listed with space, counts and shape", async () => {
  await using harness = await TrackerHarness.start();
  const client = await harness.client();
  expect(await client.call(listGroups, undefined)).toEqual({ groups: [] });
  await harness.active("127.0.0.2");
  const group = {
    group: "group1",
    totalMb: 20_000,
    freeMb: 10_000,
    reservedMb: 100,
    trunkFreeMb: 0,
    storageCount: 1,
    storagePort: 23000,
    readableCount: 1,
    writableCount: 1,
    currentWriteServer: 0,
    storePathCount: 2,
    subdirCount: 256,
    currentTrunkFileId: -1,
  };
  expect(await client.call(listGroups, undefined)).toEqual({ groups: [group] });
  expect(await client.call(listOneGroup, { group: "group1" })).toEqual(group);
  expect(await refusal(client.call(listOneGroup, { group: "nogroup" }))).toBe(2);
});

test("storages are listed with what they reported", async () => {
  await using harness = await TrackerHarness.start();
  const storage = await harness.active("127.0.0.3");
  await harness.joined("127.0.0.2");
  const { registry } = registryHarness();
  const statistics = {
    ...statisticsOf(addStorage(registry, "10.0.0.1")),
    uploads: { total: 5, success: 4 },
    lastSyncedTimestamp: 12,
    lastHeartBeatTime: 13,
  };
  await storage.call(storageBeat, { statistics });
  const client = await harness.client();
  const { storages } = await client.call(listStorages, { group: "group1", id: undefined });
  expect(storages.map(({ id, status }) => [id, status])).toEqual([
    ["127.0.0.2", 0],
    ["127.0.0.3", active],
  ]);
  const one = await client.call(listStorages, { group: "group1", id: "127.0.0.3" });
  expect(one.storages).toEqual([
    {
      status: active,
      mode: 6,
      id: "127.0.0.3",
      address: "127.0.0.3",
      syncSource: undefined,
      version: "6.16.1",
      joinTime: 1_700_000_000,
      upTime: 1_700_000_001,
      totalMb: 20_000,
      freeMb: 10_000,
      reservedMb: 100,
      uploadPriority: 10,
      storePathCount: 2,
      subdirCount: 256,
      currentWritePath: 0,
      storagePort: 23000,
      // The two times are the tracker's own.
      statistics: {
        ...statistics,
        lastSyncedTimestamp: 0,
        lastHeartBeatTime: one.storages[0]?.statistics.lastHeartBeatTime,
      },
      isTrunkServer: false,
    },
  ]);
  expect([
    await refusal(client.call(listStorages, { group: "nogroup", id: undefined })),
    await refusal(client.call(listStorages, { group: "group1", id: "x" })),
  ]).toEqual([2, 2]);
});

test("a storage can be deleted once, and not while it is there", async () => {
  await using harness = await TrackerHarness.start();
  const storage = await harness.active("127.0.0.2");
  const client = await harness.client();
  const remove = (id: string): Promise<number> =>
    refusal(client.call(deleteStorage, { group: "group1", id }));
  expect(await remove("127.0.0.2")).toBe(16);
  storage.destroy();
  await eventually(() => harness.statusOf("127.0.0.2") === offline);
  expect([await remove("127.0.0.2"), await remove("127.0.0.2"), await remove("x")]).toEqual([
    0, 114, 2,
  ]);
  expect(harness.statusOf("127.0.0.2")).toBe(deleted);
});

test("a group can be deleted when no record of a storage is left, which a restart brings about", async () => {
  await using harness = await TrackerHarness.start();
  const client = await harness.client();
  (await harness.active("127.0.0.2")).destroy();
  await eventually(() => harness.statusOf("127.0.0.2") === offline);
  await client.call(deleteStorage, { group: "group1", id: "127.0.0.2" });
  expect(await refusal(client.call(deleteGroup, { group: "group1" }))).toBe(16);
  await harness.stop();
  await using again = await TrackerHarness.start({ database: harness.database });
  const other = await again.client();
  expect(await refusal(other.call(deleteGroup, { group: "group1" }))).toBe(0);
  expect(await refusal(other.call(deleteGroup, { group: "group1" }))).toBe(2);
  expect(again.tracker.snapshot().groups).toEqual([]);
});

test("a tracker with a group leads, one without leads nobody", async () => {
  await using harness = await TrackerHarness.start();
  const client = await harness.client();
  expect(await refusal(client.call(getLeader, undefined))).toBe(2);
  await harness.joined("127.0.0.2");
  expect(await client.call(getLeader, undefined)).toEqual({
    leader: { address: "127.0.0.1", port: harness.port },
  });
});

test("without trunk files there is no trunk server to set", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  const client = await harness.client();
  const request = { group: "group1", id: "127.0.0.2" };
  expect(await refusal(client.call(setTrunkServer, request))).toBe(95);
});
