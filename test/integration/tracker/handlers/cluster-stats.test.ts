import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { storageStatus } from "#model/storage-status.ts";
import {
  storageClusterStat,
  storageVolumeStat,
  trackerClusterStat,
} from "#protocol/fastdfs/cluster-stat.ts";
import { refusal, TrackerHarness } from "../../../support/tracker-harness.ts";

const { active, init } = storageStatus;
const everybody = { status: undefined, isTrunkServer: undefined };
const everything = {
  diskAvailable: undefined,
  trunkAvailable: undefined,
  spaceAvailable: undefined,
};

test("the leader lists the trackers, itself first", async () => {
  await using harness = await TrackerHarness.start();
  const client = await harness.client();
  const all = { isActive: undefined, isLeader: undefined };
  expect(await refusal(client.call(trackerClusterStat, all))).toBe(95);
  await harness.joined("127.0.0.2");
  const { trackers } = await client.call(trackerClusterStat, all);
  expect(trackers).toEqual([
    {
      endpoint: { address: "127.0.0.1", port: harness.port },
      isLeader: true,
      isActive: true,
      connections: { allocated: 2, current: 2, max: 2 },
      version: "6.16.1",
      upTime: harness.tracker.snapshot().startedAt,
      lastHeartBeatTime: 0,
    },
  ]);
  const others = await client.call(trackerClusterStat, { isActive: undefined, isLeader: false });
  expect(others.trackers).toEqual([]);
});

test("storages of all groups are listed, filtered by status", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.3", { group: GroupName("group2") });
  await harness.joined("127.0.0.2");
  const client = await harness.client();
  const ids = async (
    filter: Parameters<typeof storageClusterStat.request.encode>[0],
  ): Promise<unknown> =>
    (await client.call(storageClusterStat, filter)).storages.map(({ id }) => id);
  const by = (operator: "is" | "is-not" | "unknown", status: number): Promise<unknown> =>
    ids({ ...everybody, status: { operator, status } });
  expect({
    all: await ids(everybody),
    active: await by("is", active),
    notActive: await by("is-not", active),
    unknown: await by("unknown", init),
    // Without trunk files nobody is asked for a role.
    trunk: await ids({ ...everybody, isTrunkServer: true }),
  }).toEqual({
    all: ["127.0.0.2", "127.0.0.3"],
    active: ["127.0.0.3"],
    notActive: ["127.0.0.2"],
    unknown: [],
    trunk: ["127.0.0.2", "127.0.0.3"],
  });
});

test("the space of each group is listed, filtered by what is available", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  await harness.active("127.0.0.3", { group: GroupName("group2"), freeMb: 20 });
  const client = await harness.client();
  const { groups } = await client.call(storageVolumeStat, everything);
  const common = { totalMb: 20_000, reservedMb: 100, trunkFreeMb: 0, trunkAvailable: false };
  expect(groups).toEqual([
    { ...common, group: "group1", freeMb: 10_000, availableMb: 9900, diskAvailable: true },
    { ...common, group: "group2", freeMb: 40, availableMb: 0, diskAvailable: false },
  ]);
  const names = async (filter: object): Promise<unknown> =>
    (await client.call(storageVolumeStat, { ...everything, ...filter })).groups.map(
      ({ group }) => group,
    );
  expect([
    await names({ diskAvailable: true }),
    await names({ spaceAvailable: false }),
    await names({ trunkAvailable: true }),
  ]).toEqual([["group1"], ["group2"], []]);
});
