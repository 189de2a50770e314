/** What monitors ask. */
import { expect, test } from "vitest";
import {
  groupsOf,
  locationsOf,
  statusOfTrackers,
  storagesOf,
  writersOf,
} from "#client/cluster-queries.ts";
import { knownFile } from "#client/file-names.ts";
import { outcomeOf, partsOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const file = knownFile("group1/M00/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin");

test("groups and storages are listed, an unknown group is told", async () => {
  await using cluster = await FakeCluster.start({ groups: { alpha: 1, beta: 2 } });
  const parts = partsOf(cluster);
  const groups = await groupsOf(parts, undefined);
  expect(groups.map(({ group, storageCount }) => [group, storageCount])).toEqual([
    ["alpha", 1],
    ["beta", 2],
  ]);
  expect(await storagesOf(parts, "beta", undefined)).toHaveLength(2);
  expect(await outcomeOf(storagesOf(parts, "gamma", undefined))).toBe("no-storage");
  parts.pool.close();
});

test("a file's storages are found, of an unknown group there are none", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  const parts = partsOf(cluster);
  expect(await locationsOf(parts, file, undefined)).toHaveLength(2);
  const other = { ...file, group: "group9" };
  expect(await outcomeOf(locationsOf(parts, other, undefined))).toBe("no-storage");
  cluster.tracker.faults.refuse = 95;
  expect(await outcomeOf(locationsOf(parts, file, undefined))).toBe("server-failed");
  parts.pool.close();
});

test("the storages that take new files are found, of an unknown group there are none", async () => {
  await using cluster = await FakeCluster.start({ groups: { alpha: 2 } });
  const parts = partsOf(cluster);
  const places = cluster.storages.map(({ address, port }) => ({ address, port }));
  expect(await writersOf(parts, undefined, undefined)).toEqual(places);
  expect(await writersOf(parts, "alpha", undefined)).toEqual(places);
  expect(await outcomeOf(writersOf(parts, "beta", undefined))).toBe("no-storage");
  cluster.tracker.faults.refuse = 95;
  expect(await outcomeOf(writersOf(parts, undefined, undefined))).toBe("server-failed");
  parts.pool.close();
});

test("each tracker is looked at by itself", async () => {
  await using cluster = await FakeCluster.start({ trackers: 2 });
  const parts = partsOf(cluster);
  await cluster.trackers[1]?.stop();
  const [first, second] = await statusOfTrackers(parts, undefined);
  expect(first).toMatchObject({
    reachable: true,
    leader: `127.0.0.1:${cluster.tracker.port}`,
    problem: undefined,
  });
  expect(first?.roundTripMs).toBeGreaterThan(0);
  expect(second).toMatchObject({ reachable: false, roundTripMs: undefined, leader: undefined });
  expect(second?.problem).toContain("ECONNREFUSED");
  parts.pool.close();
});
