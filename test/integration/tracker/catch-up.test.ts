/**
 * Goal: a tracker that knows nothing, or was away for long, takes over what the best other one knows before a storage joins it. Method: two
 * tracker roles on loopback addresses, storages that join both, one tracker stopped for a simulated hour.
 */
import { expect, test } from "vitest";
import { storageStatus } from "#model/storage-status.ts";
import { deleteStorage } from "#protocol/fastdfs/tracker-admin.ts";
import { getOneSysFile, getSysFilesStart } from "#protocol/fastdfs/tracker-cluster.ts";
import { type ClusterTracker, TrackerCluster } from "../../support/tracker-cluster.ts";
import { eventually } from "../../support/tracker-harness.ts";

const group = "group1";

function members(tracker: ClusterTracker): readonly string[] {
  const groups = tracker.running.snapshot().groups;
  return groups.flatMap(({ storages }) =>
    storages.filter(({ status }) => status !== storageStatus.deleted).map(({ id }) => id),
  );
}

function events(tracker: ClusterTracker): readonly string[] {
  return tracker.records.map(({ event }) => event).filter((event) => event.startsWith("system-"));
}

test("a tracker without groups copies them before the first storage joins", async () => {
  await using cluster = await TrackerCluster.start(20, 1, 2);
  await cluster.agreement();
  const added = await cluster.addTracker();
  const [one, two] = cluster.storages;
  two?.stop();
  await eventually(() => cluster.trackers[0]?.running.snapshot().groups[0]?.writableCount === 1);
  // Only one of the two storages ever talks to the new tracker.
  one?.restart(cluster.addresses);
  await eventually(() => members(added).length === 2, 5000);
  expect(events(added)).toEqual(["system-files-copied"]);
  const storages = added.running.snapshot().groups[0]?.storages ?? [];
  expect(storages.map(({ id, joinTime }) => [id, joinTime])).toEqual(
    cluster.storages.map(({ address }) => [address, 1_700_000_000]),
  );
  await cluster.tracker(added.address).kill();
  await added.start();
  expect(members(added).length).toBe(2);
});

test("who was deleted while a tracker was away for long stays deleted", async () => {
  await using cluster = await TrackerCluster.start(21, 2, 3);
  await cluster.agreement();
  const [stays, away] = cluster.trackers as [ClusterTracker, ClusterTracker];
  await eventually(() => members(away).length === 3);
  await away.kill();
  const gone = cluster.storages[2]?.address ?? "";
  cluster.storages.pop()?.stop();
  const client = await cluster.client(stays.address);
  await eventually(() => stays.running.snapshot().groups[0]?.writableCount === 2);
  await client.call(deleteStorage, { group, id: gone });
  client.destroy();
  away.clock.offsetMs = 3_600_000;
  away.records.length = 0;
  await away.start();
  expect(members(away)).toContain(gone);
  await eventually(() => members(away).length === 2, 5000);
  expect(events(away)).toEqual(["system-files-copied"]);
  await cluster.agreement();
});

test("after a short absence it goes on with what it has", async () => {
  await using cluster = await TrackerCluster.start(22, 2, 1);
  await cluster.agreement();
  const [, away] = cluster.trackers as [ClusterTracker, ClusterTracker];
  await away.kill();
  away.records.length = 0;
  away.clock.offsetMs = 500_000;
  await away.start();
  await cluster.agreement();
  expect(events(away)).toEqual([]);
});

test("where nobody answers a tracker starts alone, and where files cannot be copied storages wait, but not for ever", async () => {
  await using cluster = await TrackerCluster.start(23, 1, 1);
  await cluster.agreement();
  const [first] = cluster.trackers as [ClusterTracker];
  const storage = cluster.storages[0];
  const added = await cluster.addTracker();
  // Somebody else copies, and does not end.
  const busy = await cluster.client(first.address);
  await busy.call(getSysFilesStart, undefined);
  const keep = setInterval(
    () => void busy.call(getOneSysFile, { fileIndex: 0, offset: 0 }).catch(() => {}),
    500,
  );
  storage?.restart(cluster.addresses);
  await eventually(() => members(added).length === 1, 8000);
  clearInterval(keep);
  busy.destroy();
  expect(events(added)).toEqual(Array.from({ length: 5 }, () => "system-files-not-copied"));
  await cluster.agreement();
  await first.kill();
  await added.kill();
  added.records.length = 0;
  added.clock.offsetMs = 3_600_000;
  await added.start();
  await eventually(() => added.running.snapshot().groups[0]?.writableCount === 1, 8000);
  expect(events(added)).toEqual(["system-files-kept"]);
});
