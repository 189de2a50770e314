/** Reporters against scripted trackers on the loopback; only the pauses between attempts are made by hand. */
import { afterEach, expect, test } from "vitest";
import type { StorePathReport } from "#filestore/file-store.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { noChanges } from "#protocol/fastdfs/change-report.ts";
import { ClusterView } from "#storage/cluster-view.ts";
import { Membership, type MembershipFacts } from "#storage/membership.ts";
import type { StorageSettings } from "#storage/storage-settings.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { TrackerReporter } from "#storage/tracker-reporter.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { ScriptedTracker } from "../../support/scripted-tracker.ts";
import { until } from "../../support/settled.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Twenty times as fast, so that pauses of seconds do not slow the tests down. */
const quickClock: Clock = {
  ...nodeClock,
  monotonicMs: () => nodeClock.monotonicMs() * 20,
  after: (delayMs: number, task: () => void): Timer => nodeClock.after(delayMs / 20, task),
};

const path: StorePathReport = {
  index: 0,
  directory: "/data",
  state: "online",
  problem: undefined,
  readOnly: false,
  totalBytes: 100 * 1024 ** 2 + 5,
  freeBytes: 50 * 1024 ** 2 + 5,
  quarantines: 0,
  abandoned: 0,
};

interface Stage {
  readonly view: ClusterView;
  readonly membership: Membership;
  readonly reporters: readonly TrackerReporter[];
  readonly counters: StorageCounters;
  readonly events: () => string[];
  readonly stop: () => Promise<void>;
}

async function trackers(count: number): Promise<ScriptedTracker[]> {
  const made = Array.from({ length: count }, () => new ScriptedTracker());
  for (const tracker of made) {
    await tracker.start();
    cleanups.push(() => tracker.stop());
  }
  return made;
}

/** Settings of a storage whose trackers are `to`. */
function settingsFor(to: readonly ScriptedTracker[], serverId: string): StorageSettings {
  return {
    group: GroupName("group1"),
    port: 23000,
    bind: ["127.0.0.1"],
    address: "127.0.0.1",
    joinFrom: undefined,
    serverId: serverId,
    trackers: to.map(({ port }) => ({ addresses: ["127.0.0.1"], port })),
    subdirCount: 256,
    uploadPriority: 10,
    maxConnections: 100,
    connectTimeoutMs: 20_000,
    networkTimeoutMs: 20_000,
    heartBeatIntervalMs: 2000,
    diskReportIntervalMs: 4000,
    version: "6.16.0",
    mode: "both",
  };
}

function report(
  to: readonly ScriptedTracker[],
  changes: {
    readonly serverId?: string;
    readonly facts?: MembershipFacts;
    readonly paths?: readonly StorePathReport[];
  } = {},
): Stage {
  const settings = settingsFor(to, changes.serverId ?? "");
  const view = new ClusterView(settings.address);
  const counters = new StorageCounters();
  const { log, records } = collectedLog();
  const membership = new Membership(
    {
      loadMembership: () => changes.facts,
      saveMembership: () => {},
      loadCounts: () => ({}),
      saveCounts: () => {},
    },
    1_700_000_000,
  );
  const connections = { current: 0, peak: 0, limit: 100, refused: 0 };
  const reporters = settings.trackers.map(
    (tracker) =>
      new TrackerReporter({
        onJoined: () => {},
        trunk: { attend: async () => {} },
        tracker,
        settings,
        network: new NodeNetwork(),
        clock: quickClock,
        log,
        view,
        membership,
        startedSeconds: 1_700_000_500,
        port: () => 23000,
        paths: () => changes.paths ?? [path],
        statistics: () => ({
          values: counters.snapshot(connections),
          revision: counters.revision,
        }),
      }),
  );
  const stopping = new AbortController();
  const runs = reporters.map((reporter) => reporter.run(stopping.signal));
  const stop = async (): Promise<void> => {
    stopping.abort(new Error("the test ends"));
    await Promise.all(runs);
  };
  cleanups.push(stop);
  return {
    view,
    membership,
    reporters,
    counters,
    events: () => records.map((record) => record.event),
    stop,
  };
}

function joined(stage: Stage): Promise<void> {
  return until(
    () => stage.reporters.every((reporter) => reporter.status.state === "joined"),
    "all have joined",
  );
}

const settled: MembershipFacts = {
  joinTime: 1_600_000_000,
  syncSettled: true,
  syncSource: undefined,
  syncUntil: 0,
};

test("a new storage introduces itself, joins, asks who fills it, says so, and begins to report", async () => {
  const [tracker] = (await trackers(1)) as [ScriptedTracker];
  tracker.address = "127.0.0.1";
  const stage = report([tracker]);
  await joined(stage);
  expect(tracker.calls.slice(0, 7)).toEqual([
    "getMyIp",
    "requestParameters",
    "storageJoin",
    "requestSyncSource",
    "notifySyncSource",
    "storageBeat",
    "reportDiskUsage",
  ]);
  expect(tracker.joins[0]).toMatchObject({
    group: "group1",
    port: 23000,
    storePathCount: 1,
    subdirCount: 256,
    uploadPriority: 10,
    joinTime: 1_700_000_000,
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
  const paths = states.map((state, index) => ({ ...path, index, state }));
  await joined(report([tracker], { facts: settled, paths }));
  const room = { totalMb: 100, freeMb: 50 };
  const none = { totalMb: 0, freeMb: 0 };
  expect(tracker.diskReports[0]).toEqual([room, room, none, none, none, none]);
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
  expect(stage.reporters[0]?.status).toMatchObject({ state: "refused" });
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
  expect(stage.membership.facts).toEqual(filledBy);
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
