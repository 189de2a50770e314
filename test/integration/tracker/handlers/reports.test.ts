import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { deleteStorage } from "#protocol/fastdfs/tracker-admin.ts";
import {
  changeStorageStatus,
  fetchTrunkFileId,
  reportDiskUsage,
  reportIpChanged,
  reportReplicas,
  reportStatus,
  reportSync,
  reportTrunkFileId,
  reportTrunkFree,
  requestChangelog,
  storageBeat,
  storageJoin,
  trackerReports,
} from "#protocol/fastdfs/tracker-reports.ts";
import { beat, eventually, refusal, TrackerHarness } from "../../../support/tracker-harness.ts";

const { init, waitSync, syncing, deleted, offline, active, recovery, ipChanged } = storageStatus;

test("reports on a connection that has not joined are refused with EACCES", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  const client = await harness.client("127.0.0.2");
  const brief = { status: active, port: 23000, id: StorageId("127.0.0.2"), address: "127.0.0.2" };
  const { requestSyncSource, notifySyncSource, querySyncSource } = trackerReports;
  const statuses = [
    await refusal(client.call(storageBeat, { statistics: undefined })),
    await refusal(client.call(reportDiskUsage, { storePaths: [{ totalMb: 1, freeMb: 1 }] })),
    await refusal(client.call(reportSync, { sources: [{ id: "127.0.0.2", timestamp: 1 }] })),
    await refusal(client.call(reportReplicas, { members: [brief] })),
    await refusal(client.call(requestSyncSource, undefined)),
    await refusal(client.call(notifySyncSource, { source: undefined, until: 0 })),
    await refusal(client.call(querySyncSource, undefined)),
    await refusal(client.call(requestChangelog, { storage: undefined })),
    await refusal(client.call(reportTrunkFree, { freeMb: 1 })),
    await refusal(client.call(reportTrunkFileId, { fileId: 1 })),
    await refusal(client.call(fetchTrunkFileId, undefined)),
    await refusal(client.call(changeStorageStatus, { status: offline })),
  ];
  expect(statuses).toEqual(statuses.map(() => 13));
});

test("the first beat learns the leader and the group, the next ones what changed", async () => {
  await using harness = await TrackerHarness.start();
  const first = await harness.joined("127.0.0.2", { initializing: false, status: active });
  const report = await beat(first);
  expect(report).toEqual({
    leader: { address: "127.0.0.1", port: harness.port },
    trunkServer: undefined,
    members: [{ id: "127.0.0.2", address: "127.0.0.2", port: 23000, status: active }],
  });
  expect(await beat(first)).toEqual({
    leader: undefined,
    trunkServer: undefined,
    members: undefined,
  });
  await harness.joined("127.0.0.3");
  const news = await beat(first);
  expect(news.members?.map(({ id, status }) => [id, status])).toEqual([
    ["127.0.0.2", active],
    ["127.0.0.3", init],
  ]);
});

test("space is reported for each path of the group, other counts are invalid", async () => {
  await using harness = await TrackerHarness.start();
  const storage = await harness.active("127.0.0.2");
  const path = { totalMb: 2 ** 62, freeMb: -5 };
  expect(await refusal(storage.call(reportDiskUsage, { storePaths: [path] }))).toBe(22);
  expect(await refusal(storage.call(reportDiskUsage, { storePaths: [path, path, path] }))).toBe(22);
  await storage.call(reportDiskUsage, { storePaths: [{ totalMb: 7, freeMb: 3 }, path] });
  const [group] = harness.tracker.snapshot().groups;
  expect([group?.freeMb, group?.storages[0]?.totalMb]).toEqual([3, Number.MAX_SAFE_INTEGER]);
});

test("a storage with more paths than its group may report all of them", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  const larger = await harness.active("127.0.0.3", { storePathCount: 3 });
  expect(await beat(larger)).toBeDefined();
  expect(harness.tracker.snapshot().groups[0]).toMatchObject({ storePathCount: 2, freeMb: 10_000 });
});

test("only active sources count in a sync report", async () => {
  await using harness = await TrackerHarness.start();
  const a = await harness.active("127.0.0.2");
  await harness.active("127.0.0.3");
  await harness.joined("127.0.0.4");
  await a.call(reportSync, {
    sources: [
      { id: "127.0.0.3", timestamp: 500 },
      { id: "127.0.0.4", timestamp: 100 },
      { id: "127.0.0.9", timestamp: 100 },
      { id: "", timestamp: 7 },
    ],
  });
  const [storage] = harness.tracker.snapshot().groups[0]?.storages ?? [];
  expect(storage).toMatchObject({
    syncTimes: { "127.0.0.3": 500 },
    statistics: { lastSyncedTimestamp: 500 },
  });
});

test("a new member is filled: its source reports SYNCING, then OFFLINE, and its next beat makes it active", async () => {
  await using harness = await TrackerHarness.start();
  const source = await harness.active("127.0.0.2");
  const member = await harness.joined("127.0.0.3");
  const { sync } = await member.call(trackerReports.requestSyncSource, undefined);
  expect(sync?.source).toBe("127.0.0.2");
  expect(harness.statusOf("127.0.0.3")).toBe(waitSync);
  const report = async (status: 2 | 5): Promise<number | undefined> => {
    const storage = { status, port: 0, id: StorageId("127.0.0.3"), address: "127.0.0.3" };
    await source.call(reportStatus, { group: "group1", storage });
    return harness.statusOf("127.0.0.3");
  };
  expect([await report(syncing), await report(offline)]).toEqual([syncing, offline]);
  await beat(member);
  expect(harness.statusOf("127.0.0.3")).toBe(active);
  expect(await report(syncing)).toBe(active);
});

test("a status report of an unknown group is not found, of an unknown storage it makes one that is away", async () => {
  await using harness = await TrackerHarness.start();
  const client = await harness.active("127.0.0.2");
  const storage = { status: recovery, port: 0, id: StorageId("127.0.0.7"), address: "127.0.0.7" };
  expect(await refusal(client.call(reportStatus, { group: "nogroup", storage }))).toBe(2);
  await client.call(reportStatus, { group: "group1", storage });
  const impostor = { ...storage, id: StorageId("127.0.0.8") };
  await client.call(reportStatus, { group: "group1", storage: impostor });
  const gone = { ...storage, id: StorageId("127.0.0.9"), address: "127.0.0.9", status: active };
  await client.call(reportStatus, { group: "group1", storage: gone });
  expect(["127.0.0.7", "127.0.0.8", "127.0.0.9"].map((id) => harness.statusOf(id))).toEqual([
    recovery,
    undefined,
    undefined,
  ]);
});

test("a follower merges what its storages think of their group, the leader does not", async () => {
  await using harness = await TrackerHarness.start();
  const storage = await harness.active("127.0.0.2");
  (await harness.active("127.0.0.3")).destroy();
  await eventually(() => harness.statusOf("127.0.0.3") === offline);
  const members = [
    { status: recovery, port: 23000, id: StorageId("127.0.0.3"), address: "127.0.0.3" },
    { status: deleted, port: 23000, id: StorageId("127.0.0.4"), address: "127.0.0.4" },
    { status: waitSync, port: 23000, id: StorageId("127.0.0.5"), address: "127.0.0.5" },
  ];
  await storage.call(reportReplicas, { members });
  expect(harness.statusOf("127.0.0.3")).toBe(offline);
  const trackers = [harness.endpoint, { addresses: ["10.0.0.9"], port: 22122 }];
  await storage.call(storageJoin, harness.join({ initializing: false, trackers }));
  await storage.call(reportReplicas, { members });
  expect(["127.0.0.3", "127.0.0.4", "127.0.0.5"].map((id) => harness.statusOf(id))).toEqual([
    recovery,
    undefined,
    waitSync,
  ]);
});

test("a source that clings to an earlier life of a new member hears that it is offline, then that it waits", async () => {
  await using harness = await TrackerHarness.start();
  const source = await harness.active("127.0.0.2");
  const member = await harness.joined("127.0.0.3");
  await member.call(trackerReports.requestSyncSource, undefined);
  await beat(source);
  const clinging = {
    status: active,
    port: 23000,
    id: StorageId("127.0.0.3"),
    address: "127.0.0.3",
  };
  await source.call(reportReplicas, { members: [clinging] });
  const told = async (): Promise<unknown> => (await beat(source)).members?.[1]?.status;
  expect([await told(), await told(), await told()]).toEqual([offline, waitSync, undefined]);
});

test("the leader's view of a storage is taken over", async () => {
  await using harness = await TrackerHarness.start();
  const storage = await harness.joined("127.0.0.2");
  await storage.call(changeStorageStatus, { status: active });
  expect(harness.statusOf("127.0.0.2")).toBe(offline);
  await beat(storage);
  expect(harness.statusOf("127.0.0.2")).toBe(active);
});

test("a storage that is away may come back under another address", async () => {
  await using harness = await TrackerHarness.start();
  const peer = await harness.active("127.0.0.2");
  (await harness.active("127.0.0.3")).destroy();
  await eventually(() => harness.statusOf("127.0.0.3") === offline);
  const client = await harness.client("127.0.0.4");
  const change = (
    given: Partial<Parameters<typeof client.call>[1] & object> = {},
  ): Promise<number> =>
    refusal(
      client.call(reportIpChanged, {
        group: "group1",
        oldAddress: "127.0.0.3",
        newAddress: "127.0.0.4",
        ...given,
      }),
    );
  expect([
    await change({ newAddress: "127.0.0.5" }),
    await change({ group: "nogroup" }),
    await change({ oldAddress: "127.0.0.9" }),
    await change({ oldAddress: "127.0.0.2" }),
    await change(),
    await change(),
  ]).toEqual([22, 2, 2, 16, 0, 17]);
  expect([harness.statusOf("127.0.0.3"), harness.statusOf("127.0.0.4")]).toEqual([
    ipChanged,
    offline,
  ]);
  const { lines } = await peer.call(requestChangelog, { storage: undefined });
  expect(lines).toMatch(/^\d+ group1 127\.0\.0\.3 3 127\.0\.0\.4\n$/);
});

test("the changelog is read once by each storage, by itself or by name", async () => {
  await using harness = await TrackerHarness.start();
  const reader = await harness.active("127.0.0.2");
  (await harness.active("127.0.0.3")).destroy();
  await eventually(() => harness.statusOf("127.0.0.3") === offline);
  const client = await harness.client();
  await client.call(deleteStorage, { group: "group1", id: "127.0.0.3" });
  const read = async (): Promise<string> =>
    (await reader.call(requestChangelog, { storage: undefined })).lines;
  expect(await read()).toMatch(/^\d+ group1 127\.0\.0\.3 4 \n$/);
  expect(await read()).toBe("");
  const named = (group: string, id: string): Promise<number> =>
    refusal(client.call(requestChangelog, { storage: { group, id } }));
  expect([
    await named("group1", "127.0.0.2"),
    await named("group1", "x"),
    await named("x", "x"),
  ]).toEqual([0, 2, 2]);
});

test("trunk reports are kept, the newest trunk file number wins", async () => {
  await using harness = await TrackerHarness.start();
  const storage = await harness.active("127.0.0.2");
  await storage.call(reportTrunkFree, { freeMb: 77 });
  await storage.call(reportTrunkFileId, { fileId: 5 });
  await storage.call(reportTrunkFileId, { fileId: 3 });
  expect(await storage.call(fetchTrunkFileId, undefined)).toEqual({ fileId: 5 });
  expect(harness.tracker.snapshot().groups[0]?.trunkFreeMb).toBe(77);
});
