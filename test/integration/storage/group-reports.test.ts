/**
 * Goal: each tracker is told what concerns it, and nothing else. Method: reporters of one storage against scripted trackers; 50 ms of a
 * test are a second of the storage, and a beat is due each two seconds.
 */
import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import { readWriteMode, type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { noChanges } from "#protocol/fastdfs/change-report.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import { noSyncFacts } from "#storage/sync-facts.ts";
import { allJoined, settledFacts } from "../../support/reporter-stage.ts";
import { reporterWorld } from "../../support/reporter-world.ts";
import type { ScriptedTracker } from "../../support/scripted-tracker.ts";
import { until } from "../../support/settled.ts";

const { init, waitSync, syncing, ipChanged, deleted, offline, active } = storageStatus;
const own = "127.0.0.1";
const peer = StorageId("10.0.0.2");
const { trackers, report } = reporterWorld();

function brief(id: string, status: StorageStatus, address = id): StorageBrief {
  return { id: StorageId(id), status, port: 23000, address };
}

function lead(tracker: ScriptedTracker, ...members: readonly StorageBrief[]): void {
  const leader = { address: "127.0.0.1", port: tracker.port };
  tracker.changes = { leader, trunkServer: undefined, members };
}

test("trackers of ours hear every second what is held of whom; others are not asked to", async () => {
  const [ours, other] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  ours.parameters = [["cairn", "1"]];
  let until2 = 1_700_000_000;
  const heldUntil = () => [{ id: peer, until: until2 }];
  const stage = report([ours, other], {
    facts: settledFacts,
    sync: { heldUntil, nameClock: () => 1_700_000_500 },
  });
  await until(() => ours.held.length >= 2, "two reports");
  expect(ours.held[0]).toEqual({
    group: "group1",
    id: own,
    ownClock: 1_700_000_500,
    mode: readWriteMode.both,
    entries: [{ id: peer, heldUntil: 1_700_000_000 }],
  });
  until2 += 7;
  const { length: before } = ours.held;
  await until(() => ours.held.length > before + 1, "the next ones");
  expect(ours.held.at(-1)?.entries).toEqual([{ id: peer, heldUntil: 1_700_000_007 }]);
  expect(other.held).toEqual([]);
  // News come with the answers, at once.
  ours.changes = { ...noChanges, members: [brief(own, active), brief(peer, active)] };
  const startMs = performance.now();
  await until(() => stage.view.members.length === 2, "the members are known");
  expect(performance.now() - startMs).toBeLessThan(90);
});

test("a tracker of ours hears what is held before the first beat, which would make one of C of us", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.parameters = [["cairn", "1"]];
  await allJoined(report([tracker], { facts: settledFacts }));
  const order = tracker.calls.filter((call) => call === "reportHeld" || call === "storageBeat");
  expect(order.slice(0, 2)).toEqual(["reportHeld", "storageBeat"]);
});

test("a tracker that refuses reports of what is held is left in peace, and served as before", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.parameters = [["cairn", "1"]];
  tracker.refusals.set("reportHeld", [22]);
  await allJoined(report([tracker], { facts: settledFacts }));
  await until(() => tracker.beats.length >= 3, "beats");
  expect([tracker.held.length, tracker.joins.length]).toEqual([1, 1]);
});

test("what came from each source is told after a beat, when something came, for all members", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const facts = { receivedRevision: 0 };
  lead(tracker, brief("10.0.0.3", active), brief(peer, active), brief(own, active));
  report([tracker], { facts: settledFacts }).group.sync = {
    ...noSyncFacts,
    get receivedRevision() {
      return facts.receivedRevision;
    },
    received: () => new Map([[peer, 1_700_000_123]]),
  };
  await until(() => tracker.beats.length >= 3, "beats");
  expect(tracker.received).toEqual([]);
  facts.receivedRevision += 1;
  const { length: before } = tracker.beats;
  await until(() => tracker.beats.length > before + 2, "more beats");
  expect(tracker.received).toEqual([
    [
      { id: peer, timestamp: 1_700_000_123 },
      { id: "10.0.0.3", timestamp: 0 },
    ],
  ]);
});

test("a follower that takes us for something else is told what the leader does, the leader is not asked", async () => {
  const [leader, follower] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  follower.record = syncing;
  lead(leader, brief(own, active));
  const stage = report([leader, follower], { facts: settledFacts });
  await until(() => follower.toldStatuses.length > 0, "it is told");
  expect(follower.toldStatuses[0]).toBe(stage.membership.own.status);
  follower.record = storageStatus.online;
  const { length: told } = follower.toldStatuses;
  const { length: beats } = follower.beats;
  await until(() => follower.beats.length > beats + 2, "more beats");
  expect(follower.toldStatuses.length - told).toBeLessThanOrEqual(1);
  expect(leader.toldStatuses).toEqual([]);
});

test("a leader that has us as being filled, which we are not, is corrected, but not all the time", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  lead(tracker, brief(own, active));
  const stage = report([tracker], { facts: settledFacts });
  await until(() => stage.membership.own.status === active, "it is in service");
  lead(tracker, brief(own, syncing));
  await until(() => tracker.toldStatuses.length > 0, "it is corrected");
  const { length: before } = tracker.beats;
  await until(() => tracker.beats.length > before + 2, "more beats");
  expect(tracker.toldStatuses).toEqual([active]);
  expect([tracker.joins.length, stage.membership.own.status]).toEqual([1, active]);
});

test("a tracker to which a storage that was filled is new has nobody fill it", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.status = init;
  lead(tracker, brief(own, waitSync));
  const stage = report([tracker], { facts: { ...settledFacts, syncSource: peer, syncUntil: 7 } });
  await until(() => tracker.toldStatuses.length > 0, "it is corrected");
  // The next beat makes it ACTIVE.
  expect(tracker.toldStatuses).toEqual([offline]);
  expect(tracker.notices).toEqual([{ source: undefined, until: 0 }]);
  expect(stage.membership.own.source).toBe(peer);
});

test("a member that is deleted, and one that moves, are told to replication, once each", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const seen: string[] = [];
  lead(tracker, brief("10.0.0.3", active), brief(peer, active), brief(own, active));
  const stage = report([tracker], {
    facts: settledFacts,
    sync: {
      peerDeleted: (id) => seen.push(`deleted ${id}`),
      peerMoved: (from, to) => seen.push(`moved ${from} ${to}`),
    },
  });
  await until(() => stage.view.members.length === 3, "the members are known");
  // An old line about somebody who is there, and one about ourselves.
  tracker.changelog = `1700000000 group1 ${peer} 4 \n1700000000 group1 10.0.0.5 3 ${own}\n`;
  await until(() => tracker.changelog === "", "it is read");
  lead(
    tracker,
    brief("10.0.0.3", ipChanged),
    brief("10.0.0.9", active),
    brief(peer, deleted),
    brief(own, active),
  );
  tracker.changelog = `1700000001 group1 10.0.0.3 3 10.0.0.9\n1700000002 group1 ${peer} 4 \n`;
  await until(() => seen.length >= 2, "both are told");
  expect(seen).toEqual(["moved 10.0.0.3 10.0.0.9", `deleted ${peer}`]);
  expect(stage.view.peerOf({ kind: "address", address: "10.0.0.3" })?.id).toBe("10.0.0.9");
});

test("where our view is newer the tracker hears it, and a follower hears what the leader tells", async () => {
  const [leader, follower] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  const members = [brief(peer, waitSync), brief(own, active)];
  lead(leader, ...members);
  const stage = report([leader, follower], { facts: settledFacts });
  await until(() => follower.replicas.length > 0, "the follower hears of the group");
  expect(follower.replicas[0]).toEqual(members);
  expect(leader.replicas).toEqual([]);
  await stage.group.reportStatusOf(peer, offline);
  // The leader goes on with its own list.
  await until(() => leader.replicas.length > 0, "it is contradicted");
  expect(leader.replicas[0]).toEqual([brief(peer, offline)]);
});

test("an address that has changed since the last run is told to each tracker before it is joined", async () => {
  const two = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  two[1].refusals.set("reportIpChanged", [16, 17]);
  const facts = { ...settledFacts, ownAddresses: ["10.0.0.77"] };
  const stage = report(two, { facts });
  await allJoined(stage);
  expect(two.map((tracker) => tracker.moves[0])).toEqual([
    { group: "group1", oldAddress: "10.0.0.77", newAddress: own },
    { group: "group1", oldAddress: "10.0.0.77", newAddress: own },
  ]);
  // Busy first: asked again; then it was known already.
  expect(two[1].moves).toHaveLength(2);
  for (const tracker of two) {
    expect(tracker.calls.indexOf("reportIpChanged")).toBeLessThan(
      tracker.calls.indexOf("storageJoin"),
    );
  }
  expect(stage.view.isOwnAddress("10.0.0.77")).toBe(true);
  expect(stage.kept.facts?.ownAddresses).toEqual([own, "10.0.0.77"]);
});

test("where storages have ids, or the trackers do not want to know, a changed address is not reported", async () => {
  const [withIds, without] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  withIds.parameters = [["use_storage_id", "1"]];
  without.parameters = [["storage_ip_changed_auto_adjust", "0"]];
  const facts = { ...settledFacts, ownAddresses: ["10.0.0.77"] };
  for (const tracker of [withIds, without]) await allJoined(report([tracker], { facts }));
  expect([withIds.moves, without.moves]).toEqual([[], []]);
  expect(without.countOf("requestChangelog")).toBe(0);
});

test("the table of ids is fetched again when somebody is not in it, and what it allows changes at once", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const row = (id: string, address: string): StorageIdEntry => ({
    ...{ id: StorageId(id), group: GroupName("group1"), addresses: [address], port: 23000 },
    mode: readWriteMode.both,
  });
  tracker.parameters = [["use_storage_id", "1"]];
  tracker.ids = [row("100001", own)];
  lead(tracker, brief("100001", active, own));
  const stage = report([tracker], { facts: settledFacts, serverId: "100001" });
  await allJoined(stage);
  await until(() => tracker.beats.length > 2, "beats");
  expect(tracker.countOf("fetchStorageIds")).toBe(1);
  expect(stage.view.ownMode).toBe(readWriteMode.both);
  tracker.ids = [
    { ...row("100001", own), mode: readWriteMode.read },
    { ...row("100002", "10.0.0.2"), addresses: ["10.0.0.2", "fd00::2"] },
  ];
  lead(tracker, brief("100001", active, own), brief("100002", active, "10.0.0.2"));
  await until(() => stage.view.ownMode === readWriteMode.read, "the table is new");
  expect(stage.view.directory.byId("100002")?.addresses).toEqual(["10.0.0.2", "fd00::2"]);
  expect(tracker.countOf("fetchStorageIds")).toBe(2);
});
