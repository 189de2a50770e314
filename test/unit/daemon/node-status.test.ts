/** How the node is, in words. */
import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { readShape } from "#base/schema.ts";
import { status } from "#control/operations/system.ts";
import type { RunningNode } from "#daemon/compose.ts";
import { nodeName, nodeStatus } from "#daemon/node-status.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import type { LocalFileStore } from "#filestore/local-file-store.ts";
import type { RunningStorage } from "#storage/storage-role.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { type ConfigOverrides, defaultConfig } from "../../support/config.ts";
import { ScriptedHost } from "../../support/scripted-host.ts";

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

function node(path: StorePathReport, trackerState: "joined" | "connecting"): RunningNode {
  const storage: RunningStorage = {
    port: 23000,
    known: Promise.resolve(),
    snapshot: () => ({
      port: 23000,
      connections: { current: 1, peak: 2, limit: 3, refused: 4 },
      counters: new StorageCounters(),
      trackers: [{ tracker: "10.0.0.1:22122", state: trackerState, problem: "no route" }],
      trunk: {
        ...({ mode: "off", server: "off" } as const),
        ...{ freeMb: 0, fileId: 0, owed: 0, readers: new Map() },
      },
    }),
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
