/** How the node is, in words. */
import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { readShape } from "#base/schema.ts";
import { status } from "#control/operations/system.ts";
import type { RunningNode } from "#daemon/compose.ts";
import { nodeName, nodeStatus } from "#daemon/node-status.ts";
import type { FileStore, StorePathReport } from "#filestore/file-store.ts";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import type { GroupSnapshot } from "#storage/group-part.ts";
import type { RunningStorage } from "#storage/storage-role.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { type ConfigOverrides, defaultConfig } from "../../support/config.ts";
import { noRepairs } from "../../support/repair-snapshots.ts";
import { ScriptedHost } from "../../support/scripted-host.ts";
import { noLinks } from "../../support/sync-snapshots.ts";

const healthyPath: StorePathReport = {
  index: 0,
  directory: "/disk",
  state: "online",
  problem: undefined,
  readOnly: false,
  totalBytes: 100,
  freeBytes: 40,
  quarantines: 0,
  abandoned: 0,
};

const inService: GroupSnapshot = {
  status: storageStatus.active,
  since: 1_700_000_000,
  problem: undefined,
  peers: [],
};

function node(
  path: StorePathReport,
  trackerState: "joined" | "connecting" | "refused",
  group: GroupSnapshot = inService,
): RunningNode {
  const storage: RunningStorage = {
    port: 23000,
    known: Promise.resolve(),
    snapshot: () => ({
      port: 23000,
      connections: { current: 1, peak: 2, limit: 3, refused: 4 },
      counters: new StorageCounters(),
      trackers: [{ tracker: "10.0.0.1:22122", state: trackerState, problem: "no route" }],
      group,
      repair: noRepairs,
      replication: noLinks,
      trunk: {
        ...({ mode: "off", server: "off" } as const),
        ...{ freeMb: 0, fileId: 0, owed: 0, readers: new Map() },
      },
    }),
    compare: () => {},
    scrub: { order: async () => 0 },
    receipts: { ask: async () => [] },
    files: {} as FileStore,
    stop: async () => {},
  };
  return {
    address: "10.0.0.1",
    tracker: undefined,
    storage,
    gateway: undefined,
    store: {
      paths: [path],
      packing: { modeOf: () => "leased" },
    } as unknown as LocalFileStore,
    metrics: new MetricRegistry(),
    reload: () => {},
    reopenLogs: () => {},
    stop: async () => {},
  };
}

function statusOf(running: RunningNode, overrides: ConfigOverrides = {}) {
  const found = nodeStatus({
    node: running,
    config: defaultConfig(overrides),
    host: new ScriptedHost(),
    version: "1.2.3",
    startedAt: 1_700_000_000,
  });
  return readShape(status.output, found, { what: "status", surplus: "refuse" });
}

test("a node that is well is ready, and says what serves where", () => {
  expect(statusOf(node(healthyPath, "joined"))).toMatchObject({
    name: "box",
    state: "ready",
    group: "group1",
    processId: 42,
    roles: [
      { name: "tracker", state: "off", endpoints: [] },
      {
        name: "storage",
        state: "serving",
        endpoints: ["0.0.0.0:23000"],
        connections: { current: 1, peak: 2, limit: 3 },
      },
      { name: "gateway", state: "off" },
    ],
    storePaths: [{ index: 0, state: "online", totalBytes: 100, freeBytes: 40, packing: "leased" }],
    problems: [],
  });
});

test("what does not serve is a problem with words", () => {
  const broken = { ...healthyPath, state: "offline", problem: "the disk is away" } as const;
  const found = statusOf(node(broken, "connecting"));
  expect(found.state).toBe("degraded");
  expect(found.problems).toEqual([
    "Store path 0 (/disk) is not served: the disk is away.",
    expect.stringContaining("Tracker 10.0.0.1:22122 does not know this storage (no route)"),
  ]);
});

test("a tracker that refuses says why, and what to do", () => {
  const [problem] = statusOf(node(healthyPath, "refused")).problems;
  expect(problem).toBe(
    "Tracker 10.0.0.1:22122 does not take this storage, so that clients are not sent here: no route.",
  );
});

test("why this storage is not in service is said once, with the others of its group", () => {
  const peer = {
    id: StorageId("100002"),
    ...{ addresses: ["10.0.0.2", "59.1.1.2"], formerAddresses: [], port: 23000, sinceMs: 0 },
    ...{ mode: readWriteMode.both, cairn: false },
  };
  const waiting: GroupSnapshot = {
    status: storageStatus.waitSync,
    since: 1_700_000_100,
    problem: "This storage is new and waits for 100002.",
    peers: [
      { ...peer, status: storageStatus.offline },
      { ...peer, id: StorageId("100003"), status: storageStatus.deleted },
    ],
  };
  const found = statusOf(node(healthyPath, "joined", waiting));
  expect(found).toMatchObject({
    state: "degraded",
    membership: {
      status: "WAIT_SYNC",
      since: 1_700_000_100,
      problem: waiting.problem,
      members: [
        { id: "100002", endpoint: "10.0.0.2:23000", status: "OFFLINE", software: "original" },
      ],
    },
    problems: [waiting.problem],
  });
  expect(statusOf(node(healthyPath, "connecting", waiting)).problems).toEqual([
    expect.stringContaining("Tracker 10.0.0.1:22122"),
  ]);
});

test("a path that serves in part says in which part", () => {
  const problemsOf = (path: Partial<StorePathReport>): readonly string[] =>
    statusOf(node({ ...healthyPath, ...path }, "joined")).problems;
  expect(problemsOf({ state: "quarantined", problem: "it hangs" })).toEqual([
    "Store path 0 (/disk) is quarantined: it hangs.",
  ]);
  expect(problemsOf({ state: "online", problem: "it is full: delete files" })).toEqual([
    "Store path 0 (/disk) cannot take files: it is full: delete files.",
  ]);
  expect(problemsOf({ state: "opening", problem: "no answer" })).toEqual([
    "Store path 0 (/disk) is not served: no answer.",
  ]);
});

test("a node is called what its settings say, else what its machine is called", () => {
  const host = new ScriptedHost();
  expect(nodeName(defaultConfig(), host)).toBe("box");
  expect(nodeName(defaultConfig({ node: { name: "attic" } }), host)).toBe("attic");
});

test("of a mirror each half is told by itself, and problems name it", () => {
  const away = { ...healthyPath, state: "offline", problem: "the disk is away" } as const;
  const first = node(healthyPath, "joined");
  const { store, storage } = node(away, "connecting");
  if (store === undefined || storage === undefined) throw new Error("a node has both");
  const found = statusOf({ ...first, mirror: { half: "second", store, storage } });
  expect(found).toMatchObject({
    state: "degraded",
    roles: [
      { name: "tracker" },
      { name: "storage" },
      { name: "storage (second half)", state: "serving" },
      { name: "gateway" },
    ],
    storePaths: [{ state: "online" }],
    mirror: { half: "second", endpoint: "10.0.0.1:23000", storePaths: [{ state: "offline" }] },
    problems: [
      "Second half of the mirror: Store path 0 (/disk) is not served: the disk is away.",
      expect.stringMatching(/^Second half of the mirror: Tracker 10.0.0.1:22122 does not know/),
    ],
  });
});
