import { expect, test } from "vitest";
import { present } from "#base/assert.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import { maxGroups, maxStoragesPerGroup } from "#tracker/limits.ts";
import {
  addStorage,
  groupOf,
  identityOf,
  registryHarness,
} from "../../support/tracker-registry.ts";

const { init, active, offline, deleted, ipChanged, waitSync } = storageStatus;

test("groups are sorted by name, storages by id, both bytewise", () => {
  const { registry } = registryHarness();
  for (const name of ["b", "B", "a10", "a9"]) addStorage(registry, "10.0.0.1", { group: name });
  for (const address of ["10.0.0.9", "10.0.0.10"]) addStorage(registry, address, { group: "b" });
  expect(registry.groups.map((group) => group.name)).toEqual(["B", "a10", "a9", "b"]);
  expect(registry.group("b")?.storages.map((storage) => storage.id)).toEqual([
    "10.0.0.1",
    "10.0.0.10",
    "10.0.0.9",
  ]);
});

test("only active storages are in the lists, by what their mode allows", () => {
  const { registry } = registryHarness();
  const a = addStorage(registry, "10.0.0.1");
  const b = addStorage(registry, "10.0.0.2");
  addStorage(registry, "10.0.0.3", { status: offline });
  b.mode = readWriteMode.read;
  registry.identityChanged(b);
  const group = groupOf(registry);
  expect([group.readable, group.writable, group.storeServer]).toEqual([[a, b], [a], a]);
  b.mode = readWriteMode.none;
  a.mode = readWriteMode.write;
  registry.identityChanged(a);
  expect([group.readable, group.writable]).toEqual([[], [a]]);
});

test("every change of status is logged once, announced, and told to the state when it must survive", () => {
  const { registry, records, writer } = registryHarness();
  const storage = addStorage(registry, "10.0.0.1");
  const group = groupOf(registry);
  writer.flush();
  const { membersVersion } = group;
  registry.apply(storage, { name: "connection-lost" });
  expect(records.at(-1)).toEqual({
    level: "notice",
    area: "tracker",
    event: "storage-status",
    data: {
      group: "group1",
      storage: "10.0.0.1",
      from: "ACTIVE",
      to: "OFFLINE",
      why: "connection-lost",
    },
  });
  expect(group.membersVersion).toBe(membersVersion + 1);
  // After a restart it would be OFFLINE in any case.
  expect(writer.urgent).toBe(false);
  registry.apply(storage, { name: "source-chosen", source: { id: StorageId("x"), until: 1 } });
  expect(writer.urgent).toBe(true);
});

test("a deleted storage is no source any more, no trunk server, and in the changelog", () => {
  const { registry, clock } = registryHarness();
  const group = groupOf(registry);
  const gone = addStorage(registry, "10.0.0.1", { status: offline });
  const fed = addStorage(registry, "10.0.0.2", { status: init });
  registry.apply(fed, { name: "source-chosen", source: { id: gone.id, until: 7 } });
  registry.setTrunkServer(group, gone.id);
  expect(registry.delete(gone)).toBeUndefined();
  expect([gone.status, fed.status, fed.source]).toEqual([deleted, waitSync, undefined]);
  expect([group.trunkServer, group.lastTrunkServer]).toEqual([undefined, gone.id]);
  expect(registry.changelog.text()).toBe(`${clock.seconds} group1 10.0.0.1 4 \n`);
  expect(registry.delete(gone)).toBe("already-done");
});

test("a storage that joins after it was deleted starts without a past", () => {
  const { registry } = registryHarness();
  const storage = addStorage(registry, "10.0.0.1", { status: offline });
  storage.totalMb = 5;
  storage.syncTimes.set(StorageId("10.0.0.2"), 9);
  registry.delete(storage);
  registry.apply(storage, { name: "join", initializing: false, reported: active });
  expect(storage).toMatchObject({
    status: init,
    totalMb: 0,
    syncTimes: new Map(),
    changelogOffset: registry.changelog.end,
  });
});

test("a moved storage lives on under its new address, and what refers to it follows", () => {
  const { registry, clock, writer, state } = registryHarness();
  const moving = addStorage(registry, "10.0.0.1", { status: offline });
  const peer = addStorage(registry, "10.0.0.2", { status: init });
  registry.apply(peer, { name: "source-chosen", source: { id: moving.id, until: 7 } });
  peer.syncTimes.set(moving.id, 42);
  writer.flush();
  state.saves.length = 0;
  expect(registry.move(moving, "10.0.0.9")).toBeUndefined();
  writer.flush();
  const group = groupOf(registry);
  expect(group.storages.map(({ id, status }) => [id, status])).toEqual([
    ["10.0.0.1", ipChanged],
    ["10.0.0.2", waitSync],
    ["10.0.0.9", offline],
  ]);
  expect(peer).toMatchObject({
    source: { id: "10.0.0.9", until: 7 },
    syncTimes: new Map([["10.0.0.9", 42]]),
  });
  expect(registry.changelog.text()).toBe(`${clock.seconds} group1 10.0.0.1 3 10.0.0.9\n`);
  const [save] = state.saves;
  expect(save?.durability).toBe("flushed");
  expect(save?.changes.removedStorages).toEqual([{ group: "group1", id: "10.0.0.1" }]);
  expect(save?.changes.storages.map(({ id }) => id).sort()).toEqual(["10.0.0.2", "10.0.0.9"]);
});

test("a storage that is there cannot be moved", () => {
  const { registry } = registryHarness();
  expect(registry.move(addStorage(registry, "10.0.0.1"), "10.0.0.9")).toBe("busy");
});

test("groups and storages are bounded", () => {
  const { registry } = registryHarness();
  for (let at = 0; at < maxGroups; at += 1) groupOf(registry, `group${at}`);
  expect(registry.groupFor(GroupName("onemore"))).toBeUndefined();
  expect(registry.groupFor(GroupName("group7"))).toBe(registry.group("group7"));
  for (let at = 0; at < maxStoragesPerGroup; at += 1) {
    addStorage(registry, `10.0.0.${at}`, { status: offline, group: "group7" });
  }
  const full = groupOf(registry, "group7");
  registry.admitReported(full, identityOf("10.0.1.1", "group7"), offline);
  expect(registry.move(present(full.byId.get("10.0.0.1"), "a storage"), "10.0.1.1")).toBe(
    "too-many",
  );
  expect(full.storages.length).toBe(maxStoragesPerGroup);
});

test("the space of the group is that of its tightest storage, and decides where most-free writes", () => {
  const { registry } = registryHarness({ storeLookup: "most-free" });
  for (const [group, freeMb] of [
    ["a", 2000],
    ["b", 5000],
  ] as const) {
    const storage = addStorage(registry, "10.0.0.1", { group });
    registry.reshape(storage.group, { storagePort: 23000, storePathCount: 1, subdirCount: 256 });
    storage.totalMb = 10_000;
    storage.freeMb = freeMb;
    registry.spaceChanged(storage);
  }
  expect([registry.currentWriteGroup, registry.group("b")?.freeMb]).toEqual([1, 5000]);
  const tighter = addStorage(registry, "10.0.0.2", { group: "b" });
  tighter.totalMb = 10_000;
  tighter.freeMb = 1000;
  registry.spaceChanged(tighter);
  expect([registry.currentWriteGroup, registry.group("b")?.freeMb]).toEqual([0, 1000]);
});

test("IPv6 addresses are noticed", () => {
  const { registry } = registryHarness();
  expect(registry.hasWideAddress).toBe(false);
  registry.admitReported(
    groupOf(registry),
    { ...identityOf("10.0.0.1"), addresses: ["fe80::2"] },
    offline,
  );
  expect(registry.hasWideAddress).toBe(true);
});

test("a group that is removed is forgotten by the state", () => {
  const { registry, writer, state } = registryHarness();
  registry.removeGroup(groupOf(registry));
  writer.flush();
  expect(registry.groups).toEqual([]);
  expect(state.saves.at(-1)?.changes.removedGroups).toEqual(["group1"]);
});
