import { expect, test } from "vitest";
import { storageStatus } from "#model/storage-status.ts";
import { keysOfId } from "#tracker/group-record.ts";
import { heldColumn } from "#tracker/held-column.ts";
import { maxHeldSources } from "#tracker/limits.ts";
import { addressKey } from "#tracker/routing/name-facts.ts";
import { addStorage, groupOf, registryHarness } from "../../support/tracker-registry.ts";

const key = (address: string): number => addressKey(address) ?? 0;

test("positions are looked up by the source as names carry it", () => {
  const { registry } = registryHarness();
  addStorage(registry, "10.0.0.1");
  const column = heldColumn(
    groupOf(registry),
    [
      { id: "10.0.0.1", heldUntil: 5 },
      { id: "100001", heldUntil: 6 },
      { id: "shortcode", heldUntil: 7 },
    ],
    undefined,
  );
  expect([...column]).toEqual([
    [key("10.0.0.1"), 5],
    [100001, 6],
  ]);
});

test("a member that is not named any more is forgotten, one that left the group is remembered", () => {
  const { registry } = registryHarness();
  addStorage(registry, "10.0.0.1");
  addStorage(registry, "10.0.0.2");
  const group = groupOf(registry);
  const before = new Map([
    [key("10.0.0.1"), 1],
    [key("10.0.0.9"), 9],
  ]);
  const column = heldColumn(group, [{ id: "10.0.0.2", heldUntil: 2 }], before);
  expect([...column]).toEqual([
    [key("10.0.0.2"), 2],
    [key("10.0.0.9"), 9],
  ]);
  expect(heldColumn(group, [], before)).toEqual(new Map());
});

test("what is remembered is bounded", () => {
  const { registry } = registryHarness();
  addStorage(registry, "10.0.0.1");
  const before = new Map(Array.from({ length: 1000 }, (_, at) => [at + 1, at]));
  const column = heldColumn(groupOf(registry), [{ id: "10.0.0.1", heldUntil: 1 }], before);
  expect(column.size).toBe(maxHeldSources);
});

test("files of a storage that moved have it for their source, under each address that it had", () => {
  const { registry } = registryHarness();
  const group = groupOf(registry);
  const storage = addStorage(registry, "10.0.0.1", { status: storageStatus.offline });
  registry.move(storage, "10.0.0.2");
  registry.move(storage, "10.0.0.3");
  const sourceOf = (address: string): unknown => group.sources.get(key(address))?.id;
  expect([sourceOf("10.0.0.1"), sourceOf("10.0.0.2"), sourceOf("10.0.0.3")]).toEqual([
    "10.0.0.3",
    "10.0.0.3",
    "10.0.0.3",
  ]);
  expect(keysOfId(group, "10.0.0.1")).toContain(key("10.0.0.1"));
  // Somebody else has the address now: whose its files are is not known, and he is asked as C does.
  addStorage(registry, "10.0.0.2");
  expect(sourceOf("10.0.0.2")).toBe("10.0.0.2");
});

test("what is held of a storage that moved is held under its former address, too", () => {
  const { registry } = registryHarness();
  const group = groupOf(registry);
  const storage = addStorage(registry, "10.0.0.1", { status: storageStatus.offline });
  registry.move(storage, "10.0.0.2");
  const column = heldColumn(group, [{ id: "10.0.0.2", heldUntil: 9 }], undefined);
  expect([column.get(key("10.0.0.1")), column.get(key("10.0.0.2"))]).toEqual([9, 9]);
  const both = [
    { id: "10.0.0.1", heldUntil: 5 },
    { id: "10.0.0.2", heldUntil: 9 },
  ];
  expect(heldColumn(group, both, undefined).get(key("10.0.0.1"))).toBe(5);
  // Somebody else has that address by now.
  addStorage(registry, "10.0.0.1");
  const later = heldColumn(group, [{ id: "10.0.0.2", heldUntil: 9 }], undefined);
  expect(later.get(key("10.0.0.1"))).toBeUndefined();
});

test("of storages that share an address names mean one, and its position counts", () => {
  const { registry } = registryHarness();
  const group = groupOf(registry);
  group.storagePort = 23000;
  addStorage(registry, "10.0.0.1");
  const twin = addStorage(registry, "10.0.0.2");
  twin.addresses = ["10.0.0.1"];
  twin.port = 23001;
  registry.identityChanged(twin);
  const entries = [
    { id: "10.0.0.1", heldUntil: 5 },
    { id: "10.0.0.2", heldUntil: 9 },
  ];
  expect(heldColumn(group, entries, undefined).get(key("10.0.0.1"))).toBe(5);
});

test("the moves of the past are in the changelog", () => {
  const { registry } = registryHarness();
  const storage = addStorage(registry, "10.0.0.1", { status: storageStatus.offline });
  registry.move(storage, "10.0.0.2");
  registry.delete(storage);
  expect(registry.changelog.moves()).toEqual([
    { group: "group1", from: "10.0.0.1", to: "10.0.0.2" },
  ]);
});
