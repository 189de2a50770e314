import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import {
  fetchStorageIds,
  getGroupName,
  getMyIp,
  getStorageId,
  getStorageStatus,
  requestParameters,
} from "#protocol/fastdfs/tracker-lookups.ts";
import { reportIpChanged } from "#protocol/fastdfs/tracker-reports.ts";
import { refusal, TrackerHarness } from "../../../support/tracker-harness.ts";

const group1 = GroupName("group1");
const { both, read } = readWriteMode;
const storageIds = [
  { id: StorageId("1"), group: group1, addresses: ["127.0.0.2"], port: 23000, mode: both },
  {
    id: StorageId("2"),
    group: group1,
    addresses: ["127.0.0.3", "59.1.2.3"],
    port: 23001,
    mode: read,
  },
] as const;

test("without storage ids a storage is its address, and there is no table", async () => {
  await using harness = await TrackerHarness.start();
  await harness.active("127.0.0.2");
  const client = await harness.client("127.0.0.7");
  const server = { address: "127.0.0.2", port: 23000 };
  expect(await client.call(getStorageStatus, { group: "group1", server })).toEqual({
    status: storageStatus.active,
    port: 23000,
    id: "127.0.0.2",
    address: "127.0.0.2",
  });
  expect(await client.call(getStorageId, { group: "x", server })).toEqual({ id: "127.0.0.2" });
  expect(await client.call(getMyIp, { group: "group1", port: 23000 })).toEqual({
    addresses: ["127.0.0.7"],
  });
  expect(await client.call(fetchStorageIds, { startIndex: 0, allowEmpty: true })).toEqual({
    totalCount: 0,
    entries: [],
  });
  const elsewhere = { address: "127.0.0.9", port: 23000 };
  expect([
    await refusal(client.call(getStorageStatus, { group: "group1", server: elsewhere })),
    await refusal(client.call(getStorageStatus, { group: "x", server })),
    await refusal(client.call(fetchStorageIds, { startIndex: 0, allowEmpty: undefined })),
    await refusal(client.call(getGroupName, { address: undefined, port: 23000 })),
  ]).toEqual([2, 2, 95, 95]);
});

test("with storage ids the table answers", async () => {
  await using harness = await TrackerHarness.start({
    settings: { storageIds, idTypeInFilename: "id" },
  });
  await harness.active("127.0.0.3", { port: 23001 });
  const client = await harness.client("127.0.0.3");
  const server = { address: "59.1.2.3", port: 23001 };
  expect(await client.call(getStorageStatus, { group: "group1", server })).toEqual({
    status: storageStatus.active,
    port: 23001,
    id: "2",
    address: "59.1.2.3",
  });
  expect(await client.call(getStorageId, { group: "group1", server })).toEqual({ id: "2" });
  expect(await client.call(getMyIp, { group: "group1", port: 23001 })).toEqual({
    addresses: ["127.0.0.3", "59.1.2.3"],
  });
  expect(await client.call(getMyIp, { group: "group1", port: undefined })).toEqual({
    addresses: ["127.0.0.3"],
  });
  expect(await client.call(fetchStorageIds, { startIndex: 1, allowEmpty: true })).toEqual({
    totalCount: 2,
    entries: [storageIds[1]],
  });
  expect(await client.call(getGroupName, { address: undefined, port: 23001 })).toEqual({
    group: "group1",
  });
  expect(await client.call(getGroupName, { address: "127.0.0.2", port: 23000 })).toEqual({
    group: "group1",
  });
  const change = { group: "group1", oldAddress: "127.0.0.2", newAddress: "127.0.0.3" };
  expect([
    await refusal(client.call(fetchStorageIds, { startIndex: 2, allowEmpty: true })),
    await refusal(client.call(fetchStorageIds, { startIndex: -1, allowEmpty: true })),
    await refusal(client.call(getGroupName, { address: undefined, port: 1 })),
    await refusal(client.call(getStorageId, { group: "group2", server })),
    await refusal(client.call(reportIpChanged, change)),
  ]).toEqual([22, 22, 2, 2, 95]);
});

test("a storage that the ids file does not name cannot join", async () => {
  await using harness = await TrackerHarness.start({ settings: { storageIds } });
  const join = (from: string, given: Parameters<TrackerHarness["join"]>[0]): Promise<number> =>
    refusal(harness.joined(from, given));
  expect([
    await join("127.0.0.9", {}),
    await join("127.0.0.9", { id: StorageId("77") }),
    await join("127.0.0.2", { group: GroupName("group2"), id: StorageId("1") }),
    await join("127.0.0.9", { id: StorageId("1") }),
  ]).toEqual([2, 2, 22, 0]);
});

test("where ids are not trusted the address decides", async () => {
  await using harness = await TrackerHarness.start({
    settings: { storageIds, trustStorageId: false },
  });
  expect(await refusal(harness.joined("127.0.0.9", { id: StorageId("1") }))).toBe(2);
  await harness.joined("127.0.0.2", { id: StorageId("2") });
  expect(harness.statusOf("1")).toBe(storageStatus.init);
});

test("the parameters of the cluster are told to everybody", async () => {
  await using harness = await TrackerHarness.start();
  const client = await harness.client();
  const { parameters } = await client.call(requestParameters, undefined);
  expect(parameters.slice(0, 4)).toEqual([
    ["use_storage_id", "0"],
    ["id_type_in_filename", "ip"],
    ["trust_storage_server_id", "1"],
    ["response_ip_addr_size", "16"],
  ]);
  expect(parameters.length).toBe(27);
});
