/** What a storage learns from its trackers. */
import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import { noChanges } from "#protocol/fastdfs/change-report.ts";
import { ClusterView, defaultParameters, readParameters } from "#storage/cluster-view.ts";

test("parameters are read as trackers write them", () => {
  expect(
    readParameters([
      ["use_storage_id", "1"],
      ["id_type_in_filename", "id"],
      ["response_ip_addr_size", "46"],
      ["store_path", "2"],
      ["reserved_storage_space", "10.50%"],
    ]),
  ).toEqual({
    usesStorageIds: true,
    idsInFilenames: true,
    addressWidth: 46,
    storePathPolicy: "most-free",
    reserved: { kind: "percent", percent: 10.5 },
    trunk: defaultParameters.trunk,
    cairn: false,
    adjustsAddresses: true,
  });
});

test("missing and unreadable parameters keep their defaults", () => {
  expect(readParameters([])).toEqual(defaultParameters);
  expect(
    readParameters([
      ["use_storage_id", "perhaps"],
      ["id_type_in_filename", "name"],
      ["response_ip_addr_size", "64"],
      ["store_path", "x"],
      ["reserved_storage_space", "plenty"],
    ]),
  ).toEqual(defaultParameters);
});

test("reserved space: sizes, shares, and nothing in between", () => {
  const reserved = (text: string) => readParameters([["reserved_storage_space", text]]).reserved;
  expect(reserved("1024MB")).toEqual({ kind: "bytes", bytes: 1024 ** 3 });
  expect(reserved(" 4G ")).toEqual({ kind: "bytes", bytes: 4 * 1024 ** 3 });
  expect(reserved("0.00%")).toEqual({ kind: "percent", percent: 0 });
  for (const text of ["100%", "-5%", "%", "-1"]) {
    expect(reserved(text), text).toEqual(defaultParameters.reserved);
  }
});

test("file ids name the address that trackers see, or the id where that is in use", () => {
  const view = new ClusterView("10.0.0.9");
  let changes = 0;
  view.onSourceChange = () => {
    changes += 1;
  };
  expect(view.source).toEqual({ kind: "address", address: "10.0.0.9" });
  view.learnAddress("10.0.0.1");
  view.learnAddress("10.0.0.1");
  expect(view.source).toEqual({ kind: "address", address: "10.0.0.1" });
  expect(changes).toBe(1);
  view.learnAddress("fd00::1");
  expect(view.source).toEqual({ kind: "address", address: "10.0.0.9" });
  view.learnParameters({ ...defaultParameters, usesStorageIds: true, idsInFilenames: true });
  expect(view.source.kind).toBe("address");
  const id = StorageId("100001");
  const group = GroupName("group1");
  const mode = readWriteMode.both;
  view.learnIds([{ id, group, addresses: ["10.0.0.1"], port: 23000, mode }], id);
  expect(view.source).toEqual({ kind: "id", id });
  expect([view.addressOf(id), view.addressOf(StorageId("7"))]).toEqual(["10.0.0.1", ""]);
});

test("members and leader are kept until a report changes them", () => {
  const view = new ClusterView("10.0.0.1");
  const member = {
    status: storageStatus.active,
    port: 23000,
    id: StorageId("10.0.0.1"),
    address: "10.0.0.1",
  };
  view.learnChanges({
    ...noChanges,
    members: [member],
    leader: { address: "10.0.0.2", port: 22122 },
  });
  view.learnChanges(noChanges);
  expect(view.members).toEqual([member]);
  expect(view.leader).toEqual({ address: "10.0.0.2", port: 22122 });
  expect([view.ownStatus(23000), view.ownStatus(23001)]).toEqual([7, undefined]);
  view.learnChanges({ ...noChanges, leader: "none" });
  expect(view.leader).toBeUndefined();
});

test("with storage ids our own status goes by the id", () => {
  const view = new ClusterView("10.0.0.1");
  const id = StorageId("100001");
  view.learnParameters({ ...defaultParameters, usesStorageIds: true });
  view.learnIds([], id);
  const brief = { port: 23000, address: "10.0.0.1" };
  view.learnChanges({
    ...noChanges,
    members: [
      { ...brief, id: StorageId("100002"), status: storageStatus.offline },
      { ...brief, id, status: storageStatus.syncing },
    ],
  });
  expect(view.ownStatus(1)).toBe(storageStatus.syncing);
});

test("trackers that have answered a join are counted once each", () => {
  const view = new ClusterView("10.0.0.1");
  view.learnJoinAnswer("10.0.0.2:22122");
  view.learnJoinAnswer("10.0.0.2:22122");
  view.learnJoinAnswer("10.0.0.3:22122");
  expect(view.joinsAnswered).toBe(2);
});

test("the trunk server is who the leader named last, and whoever cares is told", () => {
  const view = new ClusterView("10.0.0.9");
  let changes = 0;
  view.onGroupChange = () => {
    changes += 1;
  };
  const brief = {
    status: storageStatus.active,
    port: 23000,
    id: StorageId("10.0.0.9"),
    address: "10.0.0.9",
  };
  view.learnChanges({ ...noChanges, trunkServer: brief });
  view.learnChanges(noChanges);
  expect([view.trunkServer, view.isOwn(brief, 23000), view.isOwn(brief, 23001), changes]).toEqual([
    brief,
    true,
    false,
    1,
  ]);
  view.learnChanges({ ...noChanges, trunkServer: "none" });
  expect([view.trunkServer, changes]).toEqual([undefined, 2]);
});

test("the members of an earlier run may not be all, until a leading tracker has told", () => {
  const view = new ClusterView("10.0.0.9");
  view.restorePeers([]);
  view.learnChanges({ ...noChanges, leader: "none" });
  expect(view.isListed).toBe(false);
  view.learnChanges({ ...noChanges, members: [] });
  expect(view.isListed).toBe(true);
});
