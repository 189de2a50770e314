/**
 * Goal: being a member of a group goes as it should, whatever the trackers know, say, or fail to say. Method: reporters of one storage
 * against scripted trackers; 50 ms of a test are a second of the storage.
 */
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { noChanges } from "#protocol/fastdfs/change-report.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import type { MembershipFacts } from "#storage/membership.ts";
import { noSyncFacts } from "#storage/sync-facts.ts";
import { allJoined, settledFacts } from "../../support/reporter-stage.ts";
import { reporterWorld } from "../../support/reporter-world.ts";
import type { ScriptedTracker } from "../../support/scripted-tracker.ts";
import { turns, until } from "../../support/settled.ts";
import { MemoryState } from "../../support/storage-stage.ts";

const { init, waitSync, syncing, ipChanged, deleted, offline, online, active } = storageStatus;
const own = "127.0.0.1";
const peer = StorageId("10.0.0.2");
const { atEnd, trackers, report } = reporterWorld();

function brief(id: string, status: StorageStatus): StorageBrief {
  return { id: StorageId(id), status, port: 23000, address: id };
}

/** `tracker` leads, and lists these members. */
function lead(tracker: ScriptedTracker, ...members: readonly StorageBrief[]): void {
  const leader = { address: "127.0.0.1", port: tracker.port };
  tracker.changes = { leader, trunkServer: undefined, members };
}

const filledBy: MembershipFacts = {
  ...settledFacts,
  syncSource: peer,
  syncUntil: 1_700_000_900,
  filled: false,
};

test("whom we fill is reported to all trackers, also to one that was away", async () => {
  const [one, two] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  lead(one, brief(own, active), brief(peer, waitSync));
  const stage = report([one, two], { facts: settledFacts });
  await allJoined(stage);
  await until(() => stage.view.members.length === 2, "the members are known");
  await two.stop();
  await until(() => stage.reporters[1]?.status.state === "connecting", "the loss is seen");
  await stage.group.reportStatusOf(peer, syncing);
  expect(one.statusReports).toEqual([brief(peer, syncing)]);
  expect(stage.view.directory.byId(peer)?.status).toBe(syncing);
  await stage.group.reportStatusOf(peer, offline);
  await two.start();
  await until(() => two.statusReports.length > 0, "the other one hears it");
  // Only what is true by now.
  expect(two.statusReports).toEqual([brief(peer, offline)]);
});

test("who is new itself, or speaks of a stranger, reports nothing", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.refusals.set("requestSyncSource", [2]);
  const stage = report([tracker]);
  await until(() => tracker.joins.length > 0, "a join");
  await expect(stage.group.reportStatusOf(peer, syncing)).rejects.toThrow("new itself");
  tracker.refusals.clear();
  await allJoined(stage);
  await expect(stage.group.reportStatusOf(peer, syncing)).rejects.toThrow("no member");
  expect(tracker.statusReports).toEqual([]);
});

test("who fills a member is asked of the leader", async () => {
  const [one, two] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  two.recordedSource = { source: peer, until: 77 };
  lead(two, brief(own, active));
  const stage = report([one, two], { facts: settledFacts });
  await until(() => stage.view.leader !== undefined, "the leader is known");
  expect(await stage.group.sourceOf(StorageId("10.0.0.9"))).toEqual({ source: peer, until: 77 });
  expect(one.countOf("requestSyncSourceOf")).toBe(0);
});

test("a storage that was deleted and is started again is new", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.parameters = [["cairn", "1"]];
  tracker.record = deleted;
  tracker.status = init;
  tracker.syncSource = { source: peer, until: 1_700_001_000 };
  const stage = report([tracker], { facts: settledFacts });
  await until(() => stage.membership.own.settled && tracker.joins.length > 0, "it is settled");
  expect(tracker.joins[0]).toMatchObject({ initializing: true, status: init });
  expect(stage.membership.own).toMatchObject({ source: peer, filled: false });
  expect(stage.events()).toContain("deleted-from-cluster");
});

test("at a C tracker it comes back when C storages have let go of what it was", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.record = deleted;
  tracker.status = init;
  const stage = report([tracker], { facts: settledFacts });
  await until(() => stage.membership.own.status === deleted, "it knows");
  // Three beats of two seconds, and five seconds more; half of it has passed here.
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect([tracker.joins.length, stage.reporters[0]?.status.problem]).toEqual([
    0,
    expect.stringContaining("joins again"),
  ]);
  await allJoined(stage);
  expect(tracker.joins[0]).toMatchObject({ initializing: true });
});

test("one tracker that has us as deleted is not believed where another one knows better", async () => {
  const [one, two] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  one.record = deleted;
  two.record = offline;
  const stage = report([one, two], { facts: settledFacts });
  await allJoined(stage);
  expect(one.joins[0]).toMatchObject({ initializing: false });
  expect(stage.membership.own).toMatchObject({ settled: true, filled: true });
});

test("a source that is deleted before it has filled us is replaced", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.parameters = [["cairn", "1"]];
  tracker.status = waitSync;
  const another = StorageId("10.0.0.3");
  lead(tracker, brief(another, active), brief(own, waitSync), brief(peer, active));
  const stage = report([tracker], { facts: filledBy });
  await allJoined(stage);
  await until(() => stage.view.members.length === 3, "the members are known");
  stage.view.learnCairn(another, true);
  tracker.syncSource = { source: another, until: 1_700_001_000 };
  lead(tracker, brief(another, active), brief(own, waitSync), brief(peer, deleted));
  await until(() => stage.membership.own.source === another, "another one fills us");
  await until(() => tracker.notices.at(-1)?.source === another, "the tracker is told");
  // It has left the group and come back, so that the next one asks who fills it.
  expect(tracker.deleted).toEqual([own]);
});

test("a source that stays away before it has filled us is replaced, but not while anything comes in", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.parameters = [["cairn", "1"]];
  tracker.status = syncing;
  const another = StorageId("10.0.0.3");
  const members = [brief(another, active), brief(own, syncing), brief(peer, offline)];
  lead(tracker, ...members);
  let received = 0;
  // Half a second here.
  const patience = { sourcePatienceMs: 10_000 };
  const stage = report([tracker], { facts: filledBy, patience });
  stage.group.sync = {
    ...noSyncFacts,
    get receivedChanges() {
      return received;
    },
  };
  const coming = setInterval(() => {
    received += 1;
  }, 20);
  atEnd(() => clearInterval(coming));
  await allJoined(stage);
  tracker.syncSource = { source: another, until: 1_700_001_000 };
  await new Promise((resolve) => setTimeout(resolve, 800));
  expect([tracker.deleted, stage.membership.own.source]).toEqual([[], peer]);
  clearInterval(coming);
  await until(() => stage.membership.own.source === another, "another one fills us");
  expect(tracker.deleted).toEqual([own]);
  expect(stage.events()).toContain("source-given-up");
});

test("among C storages it comes back only when they have noticed", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.status = waitSync;
  lead(tracker, brief(own, waitSync), brief(peer, active));
  const stage = report([tracker], { facts: filledBy });
  await allJoined(stage);
  const { length: before } = tracker.joins;
  lead(tracker, brief(own, waitSync), brief(peer, deleted));
  await until(() => tracker.deleted.length > 0, "it leaves");
  expect([tracker.deleted, tracker.joins.length]).toEqual([[own], before]);
  await until(() => tracker.connections === 0, "nobody speaks for it");
  expect(tracker.joins).toHaveLength(before);
  await until(() => tracker.joins.length > before, "it comes back");
  expect(tracker.joins.at(-1)).toMatchObject({ initializing: true });
});

test("a source that has filled us may go", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  lead(tracker, brief(own, active), brief(peer, active));
  const stage = report([tracker], { facts: filledBy });
  await until(() => stage.membership.own.filled, "we are in service");
  lead(tracker, brief(own, active), brief(peer, deleted));
  await until(() => stage.membership.own.source === undefined, "it is forgotten");
  expect(stage.membership.own).toMatchObject({ settled: true, filled: true, status: active });
  expect(tracker.joins).toHaveLength(1);
});

test("what a tracker without source on record answers elsewhere is taken over", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.status = waitSync;
  tracker.refusals.set("notifySyncSource", [2, 0]);
  tracker.recordedSource = { source: StorageId("10.0.0.8"), until: 5 };
  const stage = report([tracker], { facts: filledBy });
  await allJoined(stage);
  expect(stage.membership.own).toMatchObject({ settled: true, source: "10.0.0.8", until: 5 });
  expect(tracker.countOf("requestSyncSource")).toBe(0);
});

test("without trackers the peers of the last run are known, and the status says what is wrong", async () => {
  const state = new MemoryState();
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  lead(tracker, brief(own, active), brief(peer, active));
  const first = report([tracker], { facts: settledFacts, state });
  await until(() => first.view.members.length === 2, "the members are known");
  first.view.learnCairn(peer, true);
  await first.stop();
  await tracker.stop();
  const second = report([tracker], { state });
  expect(second.view.peers).toMatchObject([
    { id: peer, addresses: [peer], status: active, cairn: true },
    { id: own, status: active },
  ]);
  await until(() => second.reporters[0]?.status.problem.includes("reach") === true, "it is away");
  const snapshot = second.group.snapshot(second.reporters.map(({ status }) => status));
  expect(snapshot).toMatchObject({ status: storageStatus.none, peers: [{ id: peer }] });
  expect(snapshot.problem).toContain("Files are served");
  await tracker.start();
  await allJoined(second);
  expect(tracker.joins.at(-1)).toMatchObject({ initializing: false, status: active });
  await until(() => second.membership.own.status === active, "it is back");
  const after = second.group.snapshot(second.reporters.map(({ status }) => status));
  expect(after.problem).toBeUndefined();
});

test("trackers that never answer, or are not there, do not keep us from the one that does", async () => {
  const server = createServer((socket) => atEnd(() => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => server.close());
  const { port } = server.address() as { readonly port: number };
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  lead(tracker, brief(own, active), brief(peer, waitSync));
  const more = [port, 1].map((each) => ({ addresses: ["127.0.0.1"], port: each }));
  const startMs = performance.now();
  const stage = report([tracker], { more });
  await until(() => stage.membership.own.status === active, "it is in service");
  await stage.group.reportStatusOf(peer, syncing);
  expect(performance.now() - startMs).toBeLessThan(1000);
  expect(stage.reporters.map(({ status }) => status.state)).toEqual([
    "joined",
    "connecting",
    "connecting",
  ]);
});

test("where two trackers say that they lead, both are asked to choose anew; where one does, nobody is", async () => {
  const [one, two] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  lead(one, brief(own, active));
  one.leads = true;
  const stage = report([one, two], { facts: settledFacts });
  await until(() => stage.view.leader?.port === one.port, "the first one leads");
  one.changes = noChanges;
  one.leads = false;
  two.leads = true;
  lead(two, brief(own, active));
  await until(() => two.countOf("getTrackerStatus") > 0, "they are asked", 8000);
  await turns();
  expect(two.countOf("notifyReselectLeader")).toBe(0);
  one.leads = true;
  lead(one, brief(own, active));
  await until(() => two.countOf("notifyReselectLeader") > 0, "they are told", 8000);
  await until(() => one.countOf("notifyReselectLeader") > 0, "both");
  expect(stage.events()).toContain("two-leaders");
});

test("a tracker that is lost takes us out of service only when it was the last one", async () => {
  const [one, two] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  lead(one, brief(own, active));
  const stage = report([one, two], { facts: settledFacts });
  await allJoined(stage);
  await until(() => stage.membership.own.status === active, "it is in service");
  await two.stop();
  await until(() => stage.reporters[1]?.status.state === "connecting", "the loss is seen");
  expect(stage.membership.own.status).toBe(active);
  await one.stop();
  await until(() => stage.membership.own.status === offline, "nobody hears us");
});

test("a record of ours that was given up is taken again", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const stage = report([tracker], { facts: settledFacts });
  await allJoined(stage);
  lead(tracker, brief(own, ipChanged));
  await until(() => tracker.joins.length > 1, "it joins again");
  tracker.status = online;
  lead(tracker, brief(own, active));
  await until(() => stage.membership.own.status === active, "it is in service");
});
