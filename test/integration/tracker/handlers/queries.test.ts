import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode } from "#model/storage-status.ts";
import {
  queryFetch,
  queryFetchAll,
  queryStore,
  queryStoreAll,
  queryStoreAllInGroup,
  queryStoreInGroup,
  queryUpdate,
} from "#protocol/fastdfs/tracker-queries.ts";
import { reportDiskUsage, reportSync } from "#protocol/fastdfs/tracker-reports.ts";
import { eventually, refusal, TrackerHarness } from "../../../support/tracker-harness.ts";

const group1 = GroupName("group1");

/** A logical name whose source is `address`, stored at `seconds`. */
function filename(address: string, seconds: number, sizeHigh = 0x80000000): string {
  const bytes = Buffer.alloc(20);
  bytes.set(address.split(".").map(Number), 0);
  bytes.writeUInt32BE(seconds, 4);
  bytes.writeUInt32BE(sizeHigh, 8);
  return `M00/00/00/${bytes.toString("base64url")}362.txt`;
}

const now = (): number => Math.floor(Date.now() / 1000);
const repeated = async <T>(count: number, ask: () => Promise<T>): Promise<T[]> => {
  const answers: T[] = [];
  for (let at = 0; at < count; at += 1) answers.push(await ask());
  return answers;
};

test("an upload is sent to a storage, its port and a store path, each in turn", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  await harness.active("127.0.0.3");
  const client = await harness.client();
  const answers = await repeated(4, () => client.call(queryStore, undefined));
  expect(answers.map(({ address, storePathIndex }) => `${address} ${storePathIndex}`)).toEqual([
    "127.0.0.2 0",
    "127.0.0.3 0",
    "127.0.0.2 1",
    "127.0.0.3 1",
  ]);
  expect(answers[0]).toMatchObject({ group: "group1", port: 23000 });
});

test("an upload to a named group stays there, and groups are taken in turn otherwise", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  await harness.active("127.0.0.3", { group: GroupName("group2") });
  const client = await harness.client();
  const any = await repeated(3, () => client.call(queryStore, undefined));
  const named = await repeated(2, () => client.call(queryStoreInGroup, { group: "group2" }));
  expect(any.map(({ group }) => group)).toEqual(["group1", "group2", "group1"]);
  expect(named.map(({ group, address }) => `${group} ${address}`)).toEqual([
    "group2 127.0.0.3",
    "group2 127.0.0.3",
  ]);
});

test("all storages of a group are listed by id, with one store path", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.3");
  await harness.active("127.0.0.2");
  const client = await harness.client();
  const answer = await client.call(queryStoreAll, undefined);
  expect(answer).toEqual({
    group: "group1",
    servers: [
      { address: "127.0.0.2", port: 23000 },
      { address: "127.0.0.3", port: 23000 },
    ],
    storePathIndex: 0,
  });
  const next = await client.call(queryStoreAllInGroup, { group: "group1" });
  expect(next.storePathIndex).toBe(1);
});

test("the policies decide group, server and path", async () => {
  await using harness = await TrackerHarness.start({
    settings: { storeLookup: "most-free", storeServer: "priority", storePath: "most-free" },
  });
  await harness.active("127.0.0.2", { freeMb: 2000 });
  const group = GroupName("group2");
  await harness.active("127.0.0.3", { group, uploadPriority: 10 });
  const preferred = await harness.active("127.0.0.4", { group, uploadPriority: 5 });
  const storePaths = [
    { totalMb: 10_000, freeMb: 3000 },
    { totalMb: 10_000, freeMb: 7000 },
  ];
  await preferred.call(reportDiskUsage, { storePaths });
  const client = await harness.client();
  const answers = await repeated(2, () => client.call(queryStore, undefined));
  const expected = { group, address: "127.0.0.4", port: 23000, storePathIndex: 1 };
  expect(answers).toEqual([expected, expected]);
});

test("a group that the settings name takes every upload", async () => {
  await using harness = await TrackerHarness.start({
    settings: { storeLookup: "group", storeGroup: "group2" },
  });
  await harness.active("127.0.0.2");
  const client = await harness.client();
  expect(await refusal(client.call(queryStore, undefined))).toBe(2);
  await harness.active("127.0.0.3", { group: GroupName("group2") });
  expect((await client.call(queryStore, undefined)).group).toBe("group2");
});

test("without group, writable storage or space the status says which", async () => {
  await using harness = await TrackerHarness.start();
  const client = await harness.client();
  const statuses = [
    await refusal(client.call(queryStore, undefined)),
    await refusal(client.call(queryStoreInGroup, { group: "nogroup" })),
  ];
  await harness.joined("127.0.0.2");
  statuses.push(await refusal(client.call(queryStoreInGroup, { group: "group1" })));
  await harness.active("127.0.0.3", { freeMb: 20 });
  statuses.push(
    await refusal(client.call(queryStore, undefined)),
    await refusal(client.call(queryStoreAll, undefined)),
    await refusal(client.call(queryStoreInGroup, { group: "group1" })),
  );
  expect(statuses).toEqual([2, 2, 2, 28, 28, 28]);
});

test("a download is sent to its source until others have synced beyond it", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  const replica = await harness.active("127.0.0.3");
  const client = await harness.client();
  const file = { group: "group1", filename: filename("127.0.0.2", now() - 5) };
  const ask = async (): Promise<string[]> =>
    (await repeated(3, () => client.call(queryFetch, file))).map(({ address }) => address);
  expect(await ask()).toEqual(["127.0.0.2", "127.0.0.2", "127.0.0.2"]);
  expect(await client.call(queryFetchAll, file)).toMatchObject({
    servers: [{ address: "127.0.0.2" }],
  });
  await replica.call(reportSync, { sources: [{ id: "127.0.0.2", timestamp: now() }] });
  expect((await ask()).toSorted()).toEqual(["127.0.0.2", "127.0.0.3", "127.0.0.3"]);
  expect(await client.call(queryFetchAll, file)).toEqual({
    group: "group1",
    servers: [
      { address: "127.0.0.2", port: 23000 },
      { address: "127.0.0.3", port: 23000 },
    ],
  });
});

test("an appender is read and changed at its source, by the store server when that is away", async () => {
  await using harness = await TrackerHarness.start();
  const source = await harness.active("127.0.0.3");
  await harness.active("127.0.0.2");
  const client = await harness.client();
  const file = { group: "group1", filename: filename("127.0.0.3", now() - 9e5, 0x84000000) };
  const ask = async (): Promise<string[]> => [
    (await client.call(queryFetch, file)).address,
    (await client.call(queryUpdate, file)).address,
    ...(await client.call(queryFetchAll, file)).servers.map(({ address }) => address),
  ];
  expect(await ask()).toEqual(["127.0.0.3", "127.0.0.3", "127.0.0.3"]);
  source.destroy();
  await eventually(() => harness.statusOf("127.0.0.3") === 5);
  expect(await ask()).toEqual(["127.0.0.2", "127.0.0.2", "127.0.0.2"]);
});

test("right after its start a tracker does not send changes past a member that has not joined yet", async () => {
  await using before = await TrackerHarness.start();
  for (const address of ["127.0.0.2", "127.0.0.3"]) await before.active(address);
  await before.stop();
  await using harness = await TrackerHarness.start({ database: before.database });
  await harness.active("127.0.0.3");
  const client = await harness.client();
  const file = { group: "group1", filename: filename("127.0.0.2", now() - 5) };
  const update = async (): Promise<string> => (await client.call(queryUpdate, file)).address;
  expect(await refusal(update())).toBe(11);
  // Whom nobody knows is not waited for by a tracker that is alone.
  const unknown = { group: "group1", filename: filename("127.0.0.9", now() - 5) };
  expect((await client.call(queryUpdate, unknown)).address).toBe("127.0.0.3");
  harness.clock.offsetMs += 4000;
  expect(await update()).toBe("127.0.0.3");
  await harness.active("127.0.0.2");
  expect(await update()).toBe("127.0.0.2");
});

test("a tracker that has just started lets another one say where a file of somebody unknown is changed", async () => {
  await using harness = await TrackerHarness.start();
  const trackers = [harness.endpoint, { addresses: ["127.0.0.1"], port: 9 }];
  await harness.active("127.0.0.3", { trackers });
  const client = await harness.client();
  const file = { group: "group1", filename: filename("127.0.0.2", now() - 5) };
  expect(await refusal(client.call(queryUpdate, file))).toBe(11);
  harness.clock.offsetMs += 4000;
  expect((await client.call(queryUpdate, file)).address).toBe("127.0.0.3");
});

test("names are taken as they come, only their length is checked", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  const client = await harness.client();
  const fetch = (group: string, name: string): Promise<number> =>
    refusal(client.call(queryFetch, { group, filename: name }));
  expect([
    await fetch("group1", "not a name at all, not at all"),
    await fetch("group1", "x".repeat(127)),
    await fetch("group1", "ä".repeat(60)),
    await fetch("nogroup", "x".repeat(44)),
  ]).toEqual([0, 0, 0, 2]);
});

test("for older clients the best storage alone may be named", async () => {
  await using harness = await TrackerHarness.start({ settings: { fetchAll: "best" } });
  await harness.active("127.0.0.2");
  await harness.active("127.0.0.3");
  const client = await harness.client();
  const file = { group: "group1", filename: filename("127.0.0.2", now() - 9e5) };
  const answers = await repeated(2, () => client.call(queryFetchAll, file));
  expect(answers.map(({ servers }) => servers)).toEqual([
    [{ address: "127.0.0.2", port: 23000 }],
    [{ address: "127.0.0.3", port: 23000 }],
  ]);
});

test("with IPv6 in the storage ids file addresses are 46 bytes wide, and ports each storage's own", async () => {
  const { both, read } = readWriteMode;
  await using harness = await TrackerHarness.start({
    settings: {
      idTypeInFilename: "id",
      storageIds: [
        { id: StorageId("1"), group: group1, addresses: ["127.0.0.2"], port: 23000, mode: both },
        { id: StorageId("2"), group: group1, addresses: ["127.0.0.2"], port: 23001, mode: both },
        { id: StorageId("3"), group: group1, addresses: ["127.0.0.3"], port: 23000, mode: read },
        { id: StorageId("4"), group: group1, addresses: ["2001:db8::4"], port: 1, mode: both },
      ],
    },
  });
  await harness.active("127.0.0.2");
  await harness.active("127.0.0.2", { port: 23001 });
  await harness.active("127.0.0.3", { id: StorageId("3") });
  const client = await harness.client();
  const answer = await client.call(queryStoreAll, undefined);
  expect(answer.servers).toEqual([
    { address: "127.0.0.2", port: 23000 },
    { address: "127.0.0.2", port: 23001 },
  ]);
  expect(harness.tracker.snapshot().groups[0]).toMatchObject({
    storagePort: -1,
    readableCount: 3,
    writableCount: 2,
  });
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32LE(2, 0);
  bytes.writeUInt32BE(now(), 4);
  bytes.writeUInt32BE(0x80000000, 8);
  const name = `M00/00/00/${bytes.toString("base64url")}362.txt`;
  expect(await client.call(queryFetch, { group: "group1", filename: name })).toEqual({
    group: "group1",
    address: "127.0.0.2",
    port: 23001,
  });
});
