import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import type { Database } from "#platform/databases.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { openStateDatabase } from "#state/state-database.ts";
import { savedGroup } from "#tracker/group-record.ts";
import { savedStorage } from "#tracker/storage-record.ts";
import {
  adoptSavedTracker,
  nothingSaved,
  type SavedTracker,
  type TrackerChanges,
} from "#tracker/tracker-state.ts";
import { TrackerTable } from "#tracker/tracker-table.ts";
import { memoryState } from "../../support/tracker-harness.ts";
import { addStorage, groupOf, registryHarness } from "../../support/tracker-registry.ts";

const noChanges: TrackerChanges = {
  groups: [],
  removedGroups: [],
  storages: [],
  removedStorages: [],
  changelog: [],
  changelogFrom: 0,
  times: undefined,
};
const group = GroupName("group1");
let database: Database;

beforeEach(() => {
  database = memoryState();
});
afterEach(() => database.close());

/** Two storages with everything that a storage can have. */
function sample(): SavedTracker {
  const { registry } = registryHarness();
  const one = addStorage(registry, "10.0.0.1");
  const two = addStorage(registry, "10.0.0.2", { status: storageStatus.init });
  registry.reshape(groupOf(registry), { storagePort: -1, storePathCount: 2, subdirCount: 256 });
  one.addresses = ["10.0.0.1", "59.1.2.3"];
  one.storePaths = [
    { totalMb: 100, freeMb: 50 },
    { totalMb: 0, freeMb: 0 },
  ];
  one.totalMb = Number.MAX_SAFE_INTEGER;
  one.version = "6.16.1";
  one.dialect = "cairn";
  one.statistics = { ...one.statistics, uploads: { total: 7, success: 5 } };
  one.lastSyncedTimestamp = 1_700_000_000;
  registry.apply(two, { name: "source-chosen", source: { id: one.id, until: 99 } });
  two.syncTimes.set(one.id, 42);
  two.syncTimes.set(StorageId("10.0.0.9"), 43);
  return {
    groups: [savedGroup(groupOf(registry))],
    storages: [one, two].map(savedStorage),
    changelog: [
      { position: 0, text: "1 group1 a 4 \n" },
      { position: 14, text: "2 group1 b 4 \n" },
    ],
    times: { upTime: 5, lastCheckTime: 6 },
  };
}

test("what was saved is loaded, and saving it again changes nothing", () => {
  const table = new TrackerTable(database);
  expect(table.load()).toEqual(nothingSaved);
  const saved = sample();
  for (let times = 0; times < 2; times += 1) table.save({ ...noChanges, ...saved }, "flushed");
  expect(new TrackerTable(database).load()).toEqual(saved);
});

test("what is removed takes what refers to it along", () => {
  const table = new TrackerTable(database);
  const saved = sample();
  table.save({ ...noChanges, ...saved }, "flushed");
  table.save(
    { ...noChanges, removedStorages: [{ group, id: StorageId("10.0.0.1") }], changelogFrom: 14 },
    "relaxed",
  );
  const after = table.load();
  expect(after.storages.map(({ id, syncTimes }) => [id, [...syncTimes]])).toEqual([
    ["10.0.0.2", [["10.0.0.9", 43]]],
  ]);
  expect(after.changelog.map(({ position }) => position)).toEqual([14]);
  table.save({ ...noChanges, removedGroups: [group] }, "flushed");
  expect(table.load().groups).toEqual([]);
});

test("a save that fails half way changes nothing", () => {
  const table = new TrackerTable(database);
  const saved = sample();
  table.save({ ...noChanges, ...saved }, "flushed");
  const [storage] = saved.storages;
  const impossible = storage === undefined ? [] : [{ ...storage, port: 0.5 }];
  const changes = { ...noChanges, removedGroups: [group], storages: impossible };
  expect(() => table.save(changes, "flushed")).toThrowError();
  expect(table.load()).toEqual(saved);
});

test("an empty state starts from what another tracker left, and only then", () => {
  const table = new TrackerTable(database);
  const saved = sample();
  expect(adoptSavedTracker(table, saved)).toBe(true);
  expect(table.load()).toEqual(saved);
  expect(adoptSavedTracker(table, nothingSaved)).toBe(false);
  expect(table.load()).toEqual(saved);
});

test("the state is in its file when the process ends without a word", () => {
  const directory = mkdtempSync(join(tmpdir(), "cairn-tracker-"));
  const log = new Log("state", () => {});
  try {
    const path = join(directory, "state.sqlite");
    const first = openStateDatabase(nodeDatabases(), path, log);
    new TrackerTable(first).save({ ...noChanges, ...sample() }, "relaxed");
    // The first handle is still open, as if its process had been killed later.
    const second = openStateDatabase(nodeDatabases(), path, log);
    expect(new TrackerTable(second).load()).toEqual(sample());
    second.close();
    first.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
