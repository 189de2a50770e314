/** Reporters against scripted trackers on the loopback; only the pauses between attempts are made by hand. */
import { expect, test } from "vitest";
import type { StorePathReport } from "#filestore/file-store.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import { noChanges } from "#protocol/fastdfs/change-report.ts";
import type { MembershipFacts } from "#storage/membership.ts";
import {
  allJoined as joined,
  settledFacts as settled,
  storePath,
} from "../../support/reporter-stage.ts";
import { reporterWorld } from "../../support/reporter-world.ts";
import type { ScriptedTracker } from "../../support/scripted-tracker.ts";
import { until } from "../../support/settled.ts";

const { trackers, report } = reporterWorld();

test("a new storage introduces itself, joins, asks who fills it, says so, and begins to report", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.address = "127.0.0.1";
  const stage = report([tracker]);
  await joined(stage);
  expect(tracker.calls.slice(0, 9)).toEqual([
    "getMyIp",
    "requestParameters",
    "getStorageStatus",
    "storageJoin",
    "requestSyncSource",
    "notifySyncSource",
    "storageBeat",
    "requestChangelog",
    "reportDiskUsage",
  ]);
  expect(tracker.joins[0]).toMatchObject({
    group: "group1",
    port: 23000,
    storePathCount: 1,
    subdirCount: 256,
    uploadPriority: 10,
    joinTime: stage.kept.facts?.joinTime,
    upTime: 1_700_000_500,
    initializing: true,
    status: storageStatus.init,
    id: undefined,
    trackers: [{ addresses: ["127.0.0.1"], port: tracker.port }],
  });
  expect(tracker.notices).toEqual([{ source: undefined, until: 0 }]);
  expect(tracker.diskReports[0]).toEqual([{ totalMb: 100, freeMb: 50 }]);
  expect(stage.reporters[0]?.status).toMatchObject({ state: "joined", problem: "" });
  expect(stage.membership.facts.syncSettled).toBe(true);
});

test("a path that takes no files has no room, neither used nor free", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const states = ["online", "slow", "quarantined", "checking", "read-only", "opening"] as const;
  const paths = states.map((state, index) => ({ ...storePath, index, state }));
  await joined(report([tracker], { facts: settled, paths }));
  const room = { totalMb: 100, freeMb: 50 };
  const none = { totalMb: 0, freeMb: 0 };
  expect(tracker.diskReports[0]).toEqual([room, room, none, none, none, none]);
});

test("a storage without a disk joins when it has one, and says why until then", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const paths: StorePathReport[] = [];
  const stage = report([tracker], { facts: settled, paths });
  const [reporter] = stage.reporters;
  await until(() => reporter?.status.problem.includes("no disk yet") === true, "it says why");
  expect(reporter?.status.state).toBe("connecting");
  expect(tracker.calls).toEqual([]);
  paths.push(storePath);
  reporter?.reportSoon();
  await joined(stage);
  expect(tracker.joins.map(({ storePathCount }) => storePathCount)).toEqual([1]);
});

test.each([
  ["ours is told on the same connection", true],
  ["C's is told on another one", false],
])("a further store path is joined with: a tracker of %s", async (_, cairn) => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  if (cairn) tracker.parameters = [...tracker.parameters, ["cairn", "1"]];
  const paths = [storePath];
  const stage = report([tracker], { facts: settled, paths });
  await joined(stage);
  await until(() => tracker.diskReports.length > 0, "it has reported");
  const introductions = tracker.countOf("getMyIp");
  paths.push({ ...storePath, index: 1 });
  stage.reporters[0]?.reportSoon();
  await until(() => tracker.diskReports.at(-1)?.length === 2, "it has reported both");
  expect(tracker.joins.map(({ storePathCount }) => storePathCount)).toEqual([1, 2]);
  expect(tracker.countOf("getMyIp") - introductions).toBe(cairn ? 0 : 1);
  expect(stage.reporters[0]?.status).toMatchObject({ state: "joined", problem: "" });
});

test("a tracker that counts the group's store paths alone is told of those", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.groupPaths = 2;
  const paths = [0, 1, 2].map((index) => ({ ...storePath, index }));
  const stage = report([tracker], { facts: settled, paths });
  await joined(stage);
  expect(tracker.diskReports.every(({ length }) => length === 2)).toBe(true);
  tracker.groupPaths = 3;
  await until(() => tracker.diskReports.at(-1)?.length === 3, "the group has as many by now");
});

test("a storage that is settled does not ask again who fills it", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  await joined(report([tracker], { facts: settled }));
  expect(tracker.countOf("requestSyncSource")).toBe(0);
  expect(tracker.joins[0]).toMatchObject({ joinTime: 1_600_000_000, initializing: false });
  expect(tracker.countOf("notifySyncSource")).toBe(1);
});

test("one of two trackers decides who fills us, and the other is told", async () => {
  const two = await trackers(2);
  const sync = { source: StorageId("10.0.0.7"), until: 1_700_000_900 };
  for (const tracker of two) tracker.syncSource = sync;
  const stage = report(two);
  await joined(stage);
  expect(two.map((tracker) => tracker.countOf("requestSyncSource")).sort()).toEqual([0, 1]);
  expect(two.flatMap((tracker) => tracker.notices)).toEqual([sync, sync]);
  expect(stage.membership.facts).toMatchObject({
    syncSource: sync.source,
    syncUntil: sync.until,
  });
  expect(stage.events()).toContain("group-has-files");
});

test("while nobody can fill us the tracker is asked again", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.refusals.set("requestSyncSource", [2, 2, 0]);
  const stage = report([tracker]);
  await joined(stage);
  expect(tracker.countOf("requestSyncSource")).toBe(3);
  expect(tracker.joins).toHaveLength(3);
});

test("beats carry statistics when there is news, and are empty otherwise", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const stage = report([tracker]);
  await until(() => tracker.beats.length >= 2, "two beats");
  expect(tracker.beats.slice(0, 2)).toEqual([true, false]);
  stage.counters.attempt("uploads");
  const before = tracker.beats.length;
  await until(() => tracker.beats.length > before, "the next beat");
  expect(tracker.beats.slice(before - 1)).toContain(true);
});

test("what a beat's reply tells of leader and members is learnt", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const own = {
    status: storageStatus.active,
    port: 23000,
    id: StorageId("127.0.0.1"),
    address: "127.0.0.1",
  };
  const leader = { address: "127.0.0.1", port: tracker.port };
  tracker.changes = { ...noChanges, leader, members: [own] };
  const stage = report([tracker]);
  await until(() => stage.view.members.length > 0, "the members are known");
  expect(stage.view.ownStatus(23000)).toBe(storageStatus.active);
  expect(stage.view.leader).toEqual(leader);
});

test("a change of a store path is reported soon", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const stage = report([tracker]);
  await until(() => tracker.diskReports.length === 1, "the first report");
  const startMs = performance.now();
  stage.reporters[0]?.reportSoon();
  await until(() => tracker.diskReports.length === 2, "the next report");
  // The period is 200 ms of this clock.
  expect(performance.now() - startMs).toBeLessThan(150);
});

test("a tracker that restarts is joined again within seconds, as what we are", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const stage = report([tracker]);
  await joined(stage);
  await tracker.stop();
  await until(() => stage.reporters[0]?.status.state === "connecting", "the loss is seen");
  expect(stage.reporters[0]?.status.problem).not.toBe("");
  const joins = tracker.joins.length;
  await tracker.start();
  const startMs = performance.now();
  await joined(stage);
  // Ten seconds of the quick clock.
  expect(performance.now() - startMs).toBeLessThan(500);
  expect(tracker.joins.length).toBeGreaterThan(joins);
  expect(tracker.joins.at(-1)).toMatchObject({ initializing: false });
  expect(stage.events().filter((event) => event === "tracker-lost")).toHaveLength(1);
});

test("a tracker that answers EINVAL is asked again, says so in its status, and is logged once", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.refusals.set("storageJoin", [22]);
  const stage = report([tracker]);
  await until(() => tracker.joins.length >= 3, "three joins");
  expect(stage.reporters[0]?.status).toMatchObject({
    state: "refused",
    problem: expect.stringContaining("storage.subdir_count"),
  });
  expect(stage.events()).toEqual(["tracker-lost"]);
  tracker.refusals.clear();
  await joined(stage);
});

test("one tracker that is away or refuses does not disturb the other", async () => {
  const [well, ill] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  ill.refusals.set("getMyIp", [22]);
  const stage = report([well, ill]);
  await until(() => well.beats.length >= 3, "beats to the one that is well");
  expect(stage.reporters.map((reporter) => reporter.status.state)).toEqual(["joined", "refused"]);
});

/** A tracker that has lost its state refuses -1 from a settled storage (EFAULT, protocol §2.4/81 rule 8). */
test("with two trackers the status is unknown at first, and known to one that comes back empty", async () => {
  const two = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  const stage = report(two, { facts: settled });
  await joined(stage);
  const first = two.map((tracker) => tracker.joins[0]?.status);
  expect(first).toContain(-1);
  await two[1].stop();
  await until(() => stage.reporters[1]?.status.state === "connecting", "the loss is seen");
  await two[1].start();
  await joined(stage);
  expect(two[1].joins.at(-1)?.status).toBe(storageStatus.init);
  const members = [
    {
      status: storageStatus.active,
      port: 23000,
      id: StorageId("127.0.0.1"),
      address: "127.0.0.1",
    },
  ];
  two[0].changes = { ...noChanges, members };
  await until(() => stage.view.members.length > 0, "the members are known");
  await two[1].stop();
  await until(() => stage.reporters[1]?.status.state === "connecting", "the loss is seen");
  await two[1].start();
  await joined(stage);
  expect(two[1].joins.at(-1)?.status).toBe(storageStatus.active);
});

const filledBy: MembershipFacts = {
  ...settled,
  filled: false,
  syncSource: StorageId("10.0.0.7"),
  syncUntil: 1_700_000_900,
};

test("a source that has left the cluster is forgotten by one who is filled already", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.refusals.set("notifySyncSource", [2, 0]);
  const stage = report([tracker], { facts: filledBy });
  await joined(stage);
  expect(tracker.notices.map((notice) => notice.source)).toEqual([filledBy.syncSource, undefined]);
  expect(stage.membership.facts).toMatchObject({ syncSettled: true, syncSource: undefined });
});

test("a source that leaves before it has filled us is replaced", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.status = storageStatus.waitSync;
  tracker.syncSource = { source: StorageId("10.0.0.8"), until: 1_700_001_000 };
  tracker.refusals.set("notifySyncSource", [2, 0]);
  const stage = report([tracker], { facts: filledBy });
  await joined(stage);
  expect(tracker.joins.map((join) => join.initializing)).toEqual([false, true]);
  expect(stage.membership.facts.syncSource).toBe("10.0.0.8");
});

test("a tracker that only follows cannot make us forget our source", async () => {
  const [leader, follower] = (await trackers(2)) as [ScriptedTracker, ScriptedTracker];
  follower.refusals.set("notifySyncSource", [2]);
  const stage = report([leader, follower], { facts: filledBy });
  await until(() => follower.joins.length >= 3, "the follower is asked again");
  expect(stage.membership.facts).toMatchObject({
    syncSource: filledBy.syncSource,
    syncUntil: filledBy.syncUntil,
  });
});

test("with storage ids the table is fetched page by page, and our id by our address", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.parameters = [
    ["use_storage_id", "1"],
    ["id_type_in_filename", "id"],
  ];
  tracker.ids = Array.from({ length: 5 }, (_, at) => ({
    id: StorageId(String(100_001 + at)),
    group: GroupName("group1"),
    addresses: [`10.0.0.${at + 1}`],
    port: 23000,
    mode: readWriteMode.both,
  }));
  tracker.idsPerPage = 2;
  const stage = report([tracker]);
  await joined(stage);
  expect(tracker.countOf("fetchStorageIds")).toBe(3);
  expect(tracker.countOf("getStorageId")).toBe(1);
  expect(tracker.joins[0]?.id).toBe("100001");
  expect(stage.view.addressOf(StorageId("100005"))).toBe("10.0.0.5");
  expect(stage.view.source).toEqual({ kind: "id", id: "100001" });
});

test("a storage that the storage ids lack says so, with what to do", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.parameters = [["use_storage_id", "1"]];
  const problemOf = async (name: "getStorageId" | "storageJoin", serverId: string) => {
    tracker.refusals.set(name, [2]);
    const stage = report([tracker], { serverId });
    const problem = (): string => stage.reporters[0]?.status.problem ?? "";
    await until(() => problem().includes("storage ids"), "the refusal");
    tracker.refusals.clear();
    return problem();
  };
  expect(await problemOf("getStorageId", "")).toMatch(/no storage of group1 at .*"NUMBER group1 /);
  expect(await problemOf("storageJoin", "100009")).toContain("no number 100009");
});

test("an id from the settings is not asked for", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.parameters = [["use_storage_id", "1"]];
  await joined(report([tracker], { serverId: "100009" }));
  expect(tracker.countOf("getStorageId")).toBe(0);
  expect(tracker.joins[0]?.id).toBe("100009");
});

test("stopping leaves the tracker at once, in the middle of whatever it does", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  const stage = report([tracker]);
  await joined(stage);
  const startMs = performance.now();
  await stage.stop();
  expect(performance.now() - startMs).toBeLessThan(100);
  await until(() => tracker.connections === 0, "the tracker sees us leave", 1000);
});
