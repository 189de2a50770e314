import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { storageStatus } from "#model/storage-status.ts";
import { importSystemFiles } from "#tracker/system-files-import.ts";

const vectors = join(import.meta.dirname, "../../vectors/tracker-data");
const text = (name: string): string => readFileSync(join(vectors, name), "utf8");
const texts = {
  groups: text("storage_groups_new.dat"),
  storages: text("storage_servers_new.dat"),
  syncTimes: text("storage_sync_timestamp.dat"),
  changelog: text("storage_changelog.dat"),
  status: text(".tracker_status"),
};
const nothing = { groups: "", storages: "", syncTimes: "", changelog: "", status: "" };

test("groups, storages, sync times, changelog and times of a C tracker are understood", () => {
  const { saved, problems } = importSystemFiles(texts);
  expect(problems).toEqual([]);
  expect(saved.groups).toEqual([
    {
      name: "group1",
      storagePort: -1,
      storePathCount: 2,
      subdirCount: 16,
      currentTrunkFileId: 0,
      trunkServer: undefined,
      lastTrunkServer: undefined,
    },
  ]);
  expect(saved.times).toEqual({ upTime: 1795407289, lastCheckTime: 1795407300 });
  expect(saved.changelog.map((line) => line.position)).toEqual([0, 28]);
  const [first, second] = saved.storages;
  expect(first).toMatchObject({
    id: "100002",
    addresses: ["127.0.0.113"],
    port: 23001,
    status: storageStatus.active,
    version: "6.16.1",
    totalMb: 516038,
    freeMb: 158602,
    source: undefined,
    statistics: {
      syncInBytes: { total: 25000, success: 25000 },
      modifies: { total: 0, success: 0 },
      lastSyncedTimestamp: 1795407304,
      lastHeartBeatTime: 1795407307,
    },
  });
  expect([first?.syncTimes, second?.syncTimes]).toEqual([
    new Map([["100001", 1795407304]]),
    new Map(),
  ]);
});

test("a sync source is understood, and without ids the address is the id", () => {
  const storages = texts.storages
    .replaceAll(/\tid=.*\n/g, "")
    .replace("sync_src_server=\n", "sync_src_server=127.0.0.112\n")
    .replace("sync_until_timestamp=0", "sync_until_timestamp=77");
  const { saved } = importSystemFiles({ ...texts, storages });
  expect(saved.storages.map(({ id, source }) => ({ id, source }))).toEqual([
    { id: "127.0.0.113", source: { id: "127.0.0.112", until: 77 } },
    { id: "127.0.0.112", source: undefined },
  ]);
});

test("what makes no sense is left out and named", () => {
  const storages = `[Storage001]\n\tgroup_name=other\n\tip_addr=10.0.0.1\n${texts.storages}`;
  const groups = `${texts.groups}[Group002]\n\tgroup_name=not a name\n`;
  const { saved, problems } = importSystemFiles({ ...texts, groups, storages });
  expect([saved.groups.length, saved.storages.length]).toEqual([1, 2]);
  expect(problems).toEqual([
    "section Group002 of the groups file names no group",
    "section Storage001 of the storages file is no storage of a known group",
  ]);
});

test("no files are an empty tracker", () => {
  expect(importSystemFiles(nothing).saved).toEqual({
    groups: [],
    storages: [],
    changelog: [],
    times: { upTime: 0, lastCheckTime: 0 },
  });
});

test("any damage leads to some tracker and to no error", () => {
  const whole = Object.values(texts).join("\n");
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.string({ maxLength: 20 }), (from, length, junk) => {
      const at = from % whole.length;
      const damaged = whole.slice(0, at) + junk + whole.slice(at + (length % 200));
      const { saved } = importSystemFiles({ ...texts, groups: damaged, storages: damaged });
      expect(saved.groups.length).toBeLessThanOrEqual(2);
    }),
    { numRuns: 200 },
  );
});
