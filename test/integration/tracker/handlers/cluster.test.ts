import { expect, test } from "vitest";
import type { FrameClient } from "#net/frame-client.ts";
import { maxSystemFilePart, trackerCluster } from "#protocol/fastdfs/tracker-cluster.ts";
import { storageBeat, storageJoin } from "#protocol/fastdfs/tracker-reports.ts";
import { importSystemFiles } from "#tracker/system-files-import.ts";
import { beat, refusal, TrackerHarness } from "../../../support/tracker-harness.ts";

const {
  commitNextLeader,
  getOneSysFile,
  getSysFilesEnd,
  getSysFilesStart,
  getTrackerStatus,
  joinLeader,
  notifyNextLeader,
  notifyReselectLeader,
  pingLeader,
} = trackerCluster;
const connections = { allocated: 5, current: 3, max: 4 };
const introduction = { upTime: 1_700_000_000, version: "6.16.1" };

async function wholeFile(client: FrameClient, fileIndex: number): Promise<string> {
  let text = "";
  for (;;) {
    const part = await client.call(getOneSysFile, { fileIndex, offset: text.length });
    text += Buffer.from(part.content).toString();
    if (text.length >= part.fileSize) return text;
  }
}

test("while it has no groups a tracker stays out of elections", async () => {
  await using harness = await TrackerHarness.start();
  const client = await harness.client();
  expect([
    await refusal(client.call(getTrackerStatus, undefined)),
    await refusal(client.call(getSysFilesStart, undefined)),
    await refusal(client.call(joinLeader, { ...introduction, port: harness.port })),
    await refusal(client.call(pingLeader, { connections })),
    await refusal(client.call(notifyReselectLeader, undefined)),
  ]).toEqual([2, 2, 95, 95, 95]);
});

test("a single tracker says that it leads, and for how long it has run", async () => {
  await using harness = await TrackerHarness.start();
  await harness.joined("127.0.0.2");
  const client = await harness.client();
  harness.clock.offsetMs = 700_000;
  expect(await client.call(getTrackerStatus, undefined)).toEqual({
    isLeader: true,
    runningTime: 600,
    restartInterval: 0,
  });
  expect(await refusal(client.call(notifyReselectLeader, undefined))).toBe(0);
  expect((await client.call(getTrackerStatus, undefined)).isLeader).toBe(true);
});

test("the system files are those of C, and held by one at a time", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  const [first, second] = [await harness.client(), await harness.client()];
  await first.call(getSysFilesStart, undefined);
  expect(await refusal(second.call(getSysFilesStart, undefined))).toBe(16);
  await harness.joined("127.0.0.3");
  const [groups = "", storages = "", syncTimes = "", changelog = ""] = await Promise.all(
    [0, 1, 2, 3].map(async (index) => {
      const client = await harness.client();
      return wholeFile(index === 1 ? first : client, index);
    }),
  );
  const { saved, problems } = importSystemFiles({
    groups,
    storages,
    syncTimes,
    changelog,
    status: "",
  });
  expect(problems).toEqual([]);
  // What began before the second storage joined does not show it.
  expect(saved.storages.map(({ id, status }) => [id, status])).toEqual([["127.0.0.2", 7]]);
  expect(await refusal(first.call(getOneSysFile, { fileIndex: 4, offset: 0 }))).toBe(22);
  expect(await refusal(first.call(getOneSysFile, { fileIndex: 3, offset: 1 }))).toBe(22);
  await first.call(getSysFilesEnd, undefined);
  expect(await refusal(second.call(getSysFilesStart, undefined))).toBe(0);
  expect(maxSystemFilePart).toBe(8173);
});

test("system files that are held are free again when the connection ends", async () => {
  await using harness = await TrackerHarness.start();
  await harness.joined("127.0.0.2");
  const [first, second] = [await harness.client(), await harness.client()];
  await first.call(getSysFilesStart, undefined);
  first.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await refusal(second.call(getSysFilesStart, undefined))).toBe(0);
});

test("among several trackers the two-phase announcement decides who leads", async () => {
  await using harness = await TrackerHarness.start();
  const other = { address: "127.0.0.77", port: 22122 };
  const self = { address: "127.0.0.1", port: harness.port };
  const storage = await harness.active("127.0.0.2");
  await beat(storage);
  const trackers = [harness.endpoint, { addresses: [other.address], port: other.port }];
  await storage.call(storageJoin, harness.join({ initializing: false, trackers }));
  const client = await harness.client();
  const name = async (message: typeof notifyNextLeader, leader: object): Promise<number> =>
    refusal(client.call(message, { leader: leader as typeof other }));
  expect((await client.call(getTrackerStatus, undefined)).isLeader).toBe(false);
  expect(await storage.call(storageBeat, { statistics: undefined })).toEqual({
    leader: undefined,
    trunkServer: undefined,
    members: undefined,
  });
  expect([
    await name(notifyNextLeader, { address: "10.9.9.9", port: 1 }),
    await name(commitNextLeader, other),
    await name(notifyNextLeader, self),
    await name(commitNextLeader, self),
  ]).toEqual([2, 22, 0, 0]);
  expect((await beat(storage)).leader).toEqual(self);
  expect([await name(notifyNextLeader, other), await name(notifyNextLeader, other)]).toEqual([
    22, 0,
  ]);
  expect(await name(commitNextLeader, other)).toBe(0);
  expect(await refusal(client.call(notifyReselectLeader, undefined))).toBe(95);
});

test("followers introduce themselves, ping, and hear of trunk servers once", async () => {
  await using harness = await TrackerHarness.start();
  const storage = await harness.active("127.0.0.2");
  const self = { address: "127.0.0.1", port: harness.port };
  const trackers = [harness.endpoint, { addresses: ["127.0.0.77"], port: 22122 }];
  await storage.call(storageJoin, harness.join({ initializing: false, trackers }));
  const follower = await harness.client("127.0.0.77");
  await follower.call(notifyNextLeader, { leader: self });
  await follower.call(commitNextLeader, { leader: self });
  expect([
    await refusal(follower.call(pingLeader, { connections })),
    await refusal(follower.call(joinLeader, { ...introduction, port: 1 })),
    await refusal(follower.call(joinLeader, { ...introduction, port: 22122 })),
    await refusal(follower.call(joinLeader, { ...introduction, port: 22122 })),
  ]).toEqual([22, 2, 0, 17]);
  expect(await follower.call(pingLeader, { connections })).toEqual({
    groups: [{ group: "group1", trunkServer: undefined }],
  });
  expect(await follower.call(pingLeader, { connections })).toEqual({ groups: [] });
});
