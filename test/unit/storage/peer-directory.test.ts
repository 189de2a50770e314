import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import {
  type ReadWriteMode,
  readWriteMode,
  type StorageStatus,
  storageStatus,
} from "#model/storage-status.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import { assertionMs, maxPeers, mergedStatus, PeerDirectory } from "#storage/peer-directory.ts";

const { init, waitSync, syncing, ipChanged, deleted, offline, online, active, recovery, none } =
  storageStatus;

function brief(id: string, status: StorageStatus, address = id): StorageBrief {
  return { id: StorageId(id), status, port: 23000, address };
}

function row(
  id: string,
  addresses: readonly string[],
  mode: ReadWriteMode = readWriteMode.both,
): StorageIdEntry {
  return {
    id: StorageId(id),
    group: GroupName("group1"),
    addresses,
    port: 23000,
    mode,
  };
}

test("each pair of our view and the tracker's is merged as the original does, but for what came back", () => {
  const statuses = [
    ...[none, init, waitSync, syncing, ipChanged, deleted],
    ...[offline, online, active, recovery],
  ];
  const kept: string[] = [];
  const contradicts: string[] = [];
  for (const local of statuses) {
    for (const told of statuses) {
      const merged = mergedStatus(local, told, false);
      expect([local, told]).toContain(merged.status);
      if (merged.status !== told) kept.push(`${local}<${told}`);
      if (merged.contradicts) contradicts.push(`${local}<${told}`);
    }
  }
  const offlineLate = [waitSync, syncing, recovery].map((local) => `${local}<${offline}`);
  expect(contradicts).toEqual(offlineLate);
  const nobody = statuses.filter((local) => local !== none).map((local) => `${local}<${none}`);
  expect(new Set(kept)).toEqual(new Set([...offlineLate, ...nobody]));
});

test("what we reported ourselves stands against older views, upwards only and for a while", () => {
  expect(mergedStatus(offline, syncing, true)).toEqual({ status: offline, contradicts: true });
  expect(mergedStatus(syncing, waitSync, true)).toEqual({ status: syncing, contradicts: true });
  expect(mergedStatus(syncing, active, true)).toEqual({ status: active, contradicts: false });
  expect(mergedStatus(offline, deleted, true)).toEqual({ status: deleted, contradicts: false });
  const directory = new PeerDirectory();
  const id = StorageId("10.0.0.2");
  directory.merge([brief(id, waitSync)], 0);
  expect(directory.assert(id, syncing, 1000)).toBe(true);
  const early = directory.merge([brief(id, waitSync)], assertionMs);
  expect([early.contradicted, directory.byId(id)?.status]).toEqual([[brief(id, syncing)], syncing]);
  expect(directory.merge([brief(id, waitSync)], 1000 + assertionMs).changed).toBe(true);
  expect(directory.byId(id)).toMatchObject({ status: waitSync, sinceMs: 1000 + assertionMs });
  expect(directory.assert(StorageId("10.0.0.9"), syncing, 0)).toBe(false);
});

test("members are in the order of their ids, and those that the tracker does not list are told to it", () => {
  const directory = new PeerDirectory();
  const three = ["10.0.0.4", "10.0.0.2", "10.0.0.3"].map((id) => brief(id, active));
  expect(directory.merge(three, 0)).toEqual({ changed: true, contradicted: [] });
  expect(directory.merge(three, 1).changed).toBe(false);
  expect(directory.peers.map(({ id }) => id)).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.4"]);
  const [one] = three as [StorageBrief];
  expect(directory.merge([one], 2).contradicted).toEqual([
    brief("10.0.0.2", active),
    brief("10.0.0.3", active),
  ]);
  directory.merge([brief("10.0.0.2", deleted)], 3);
  expect(directory.merge([one], 4).contradicted).toEqual([brief("10.0.0.3", active)]);
});

test("with storage ids a member has the addresses and the mode of the table, the tracker's choice first", () => {
  const directory = new PeerDirectory();
  directory.learnIds([
    row("100001", ["10.0.0.2", "59.1.2.3"], readWriteMode.read),
    row("100002", ["fd00::3"]),
  ]);
  directory.merge([brief("100001", active, "59.1.2.3"), brief("100002", active, "fd00::3")], 0);
  expect(directory.peers).toMatchObject([
    { id: "100001", addresses: ["59.1.2.3", "10.0.0.2"], mode: readWriteMode.read },
    { id: "100002", addresses: ["fd00::3"], mode: readWriteMode.both },
  ]);
  expect(directory.briefs[0]?.address).toBe("59.1.2.3");
});

test("all addresses may change at once: ids stay, and old addresses still lead to their storages", () => {
  const directory = new PeerDirectory();
  directory.learnIds([row("1", ["10.0.0.1"]), row("2", ["10.0.0.2"])]);
  directory.merge([brief("1", active, "10.0.0.1"), brief("2", active, "10.0.0.2")], 0);
  // They even swap one of the addresses.
  expect(directory.learnIds([row("1", ["10.0.0.2"]), row("2", ["10.9.0.2"])])).toBe(true);
  directory.merge([brief("1", active, "10.0.0.2"), brief("2", active, "10.9.0.2")], 0);
  expect(directory.peers).toMatchObject([
    { id: "1", addresses: ["10.0.0.2"], formerAddresses: ["10.0.0.1"] },
    { id: "2", addresses: ["10.9.0.2"], formerAddresses: ["10.0.0.2"] },
  ]);
  expect(directory.byAddress("10.0.0.1")?.id).toBe("1");
  expect(directory.byAddress("10.0.0.2")?.id).toBe("1");
  expect(directory.byAddress("10.9.0.2")?.id).toBe("2");
  expect(directory.byAddress("10.7.7.7")).toBeUndefined();
});

test("without ids a member that moved is found by the address that it had", () => {
  const directory = new PeerDirectory();
  const [from, to] = [StorageId("10.0.0.2"), StorageId("10.0.0.7")];
  directory.merge([brief(from, active)], 0);
  directory.learnCairn(from, true);
  directory.merge([brief(from, ipChanged), brief(to, offline)], 0);
  expect(directory.byAddress(from)).toBeUndefined();
  expect([directory.learnMove(from, to), directory.learnMove(from, to)]).toEqual([true, false]);
  expect(directory.byAddress(from)).toMatchObject({ id: to, cairn: true });
  expect(directory.learnMove(StorageId("10.0.0.8"), to)).toBe(false);
});

test("what is kept over a restart is enough to reach the peers", () => {
  const before = new PeerDirectory();
  before.learnIds([row("1", ["10.0.0.1", "59.1.1.1"])]);
  before.merge([brief("1", active, "10.0.0.1")], 5);
  expect([
    before.learnCairn(StorageId("1"), true),
    before.learnCairn(StorageId("1"), true),
  ]).toEqual([true, false]);
  const after = new PeerDirectory(before.saved());
  expect(after.byId("1")).toMatchObject({
    ...{ addresses: ["10.0.0.1", "59.1.1.1"], port: 23000, status: active, cairn: true },
  });
});

test("a tracker that lists without end does not fill the memory", () => {
  const directory = new PeerDirectory();
  const many = Array.from({ length: maxPeers + 9 }, (_, at) => brief(String(at + 1), active));
  directory.merge(many, 0);
  expect(directory.peers).toHaveLength(maxPeers);
});

test("a disk belongs to whoever told it last, and is remembered", () => {
  const directory = new PeerDirectory();
  const [one, two] = [StorageId("10.0.0.1"), StorageId("10.0.0.2")];
  directory.merge([brief(one, active), brief(two, active)], 0);
  expect(directory.learnDisk(StorageId("10.0.0.9"), "d1")).toBe(false);
  expect([directory.learnDisk(one, "d1"), directory.learnDisk(one, "d1")]).toEqual([true, false]);
  directory.merge([brief(one, offline), brief(two, active)], 5);
  expect(new PeerDirectory(directory.saved()).byDisk("d1")?.id).toBe(one);
  expect(directory.learnDisk(two, "d1")).toBe(true);
  expect(directory.byDisk("d1")?.id).toBe(two);
  expect([directory.byId(one)?.disk, directory.byDisk("d2")]).toEqual([undefined, undefined]);
});
