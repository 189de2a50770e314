/** Metrics of the node as a whole. */
import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { registerNodeMetrics } from "#daemon/node-metrics.ts";
import { storageStatus } from "#model/storage-status.ts";
import type { StorageSnapshot } from "#storage/storage-role.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryFileStore } from "../../support/memory-file-store.ts";
import { parseOpenMetrics } from "../../support/open-metrics.ts";
import { noRepairs } from "../../support/repair-snapshots.ts";
import { ScriptedHost } from "../../support/scripted-host.ts";
import { noLinks } from "../../support/sync-snapshots.ts";

const clock = new ManualClock();

const storageSnapshot: StorageSnapshot = {
  port: 23000,
  connections: { current: 3, peak: 4, limit: 10, refused: 0 },
  counters: new StorageCounters(),
  trackers: [{ tracker: "10.0.0.1:22122", state: "joined", problem: "" }],
  group: { status: storageStatus.active, since: 1_700_000_000, problem: undefined, peers: [] },
  repair: noRepairs,
  replication: noLinks,
  trunk: {
    ...({ mode: "off", server: "off" } as const),
    ...{ freeMb: 0, fileId: 0, owed: 0, readers: new Map() },
  },
};

function sampleOf(registry: MetricRegistry, sample: string): number | undefined {
  const families = parseOpenMetrics(registry.render("openmetrics"));
  const all = [...families.values()].flatMap((family) => family.samples);
  const text = (labels: Readonly<Record<string, string>>) =>
    Object.entries(labels).map(([name, value]) => `,${name}=${value}`);
  return all.find(({ name, labels }) => `${name}${text(labels).join("")}` === sample)?.value;
}

test("the process, the store paths and the storage are read when somebody looks", () => {
  const registry = new MetricRegistry();
  const host = new ScriptedHost();
  const counters = new StorageCounters();
  const snapshot = { ...storageSnapshot, counters };
  registerNodeMetrics(registry, {
    version: "1.2.3",
    name: "attic",
    clock,
    host,
    store: new MemoryFileStore(),
    storage: () => snapshot,
  });
  expect(sampleOf(registry, "cairn_build_info,version=1.2.3,runtime=node")).toBe(1);
  expect(sampleOf(registry, "cairn_node_info,name=attic")).toBe(1);
  expect(sampleOf(registry, "process_resident_memory_bytes")).toBe(1000);
  expect(sampleOf(registry, "process_start_time_seconds")).toBe(clock.nowMs() / 1000);
  expect(sampleOf(registry, "filestore_path_online,path=0")).toBe(1);
  expect(sampleOf(registry, "storage_connections")).toBe(3);
  expect(sampleOf(registry, "storage_tracker_joined,tracker=10.0.0.1:22122")).toBe(1);
  expect(sampleOf(registry, "storage_status,status=ACTIVE")).toBe(1);
  expect(sampleOf(registry, "storage_status,status=WAIT_SYNC")).toBe(0);
  expect(sampleOf(registry, "storage_status_since_seconds")).toBe(1_700_000_000);
  expect(sampleOf(registry, "storage_group_members,status=OFFLINE")).toBe(0);
});

test("a store path's condition is one of several, and its troubles are counted", () => {
  const registry = new MetricRegistry();
  const store = new MemoryFileStore();
  const path = { ...store.paths[0], state: "quarantined", quarantines: 2, abandoned: 7 };
  Object.defineProperty(store, "paths", { get: () => [path] });
  const parts = { version: "1", name: "n", clock, host: new ScriptedHost(), storage: undefined };
  registerNodeMetrics(registry, { ...parts, store });
  const condition = (each: string): number | undefined =>
    sampleOf(registry, `filestore_path_condition,path=0,condition=${each}`);
  expect(["online", "quarantined", "checking"].map(condition)).toEqual([0, 1, 0]);
  expect(sampleOf(registry, "filestore_path_online,path=0")).toBe(0);
  expect(sampleOf(registry, "filestore_path_quarantines_total,path=0")).toBe(2);
  expect(sampleOf(registry, "filestore_abandoned_requests_total,path=0")).toBe(7);
});

test("of a mirror each half is told by itself", () => {
  const registry = new MetricRegistry();
  const [store, other] = [new MemoryFileStore(), new MemoryFileStore()];
  const path = { ...other.paths[0], state: "offline" };
  Object.defineProperty(other, "paths", { get: () => [path] });
  const parts = { version: "1", name: "n", clock, host: new ScriptedHost(), storage: undefined };
  const mirror = { store: other, storage: () => storageSnapshot };
  registerNodeMetrics(registry, { ...parts, store, mirror });
  const online = (half: string) => sampleOf(registry, `filestore_path_online,half=${half},path=0`);
  expect(["first", "second"].map(online)).toEqual([1, 0]);
  expect(sampleOf(registry, "storage_status,half=second,status=ACTIVE")).toBe(1);
});

test("counters follow what they are read from, and never fall", () => {
  const registry = new MetricRegistry();
  const host = new ScriptedHost();
  const parts = { version: "1", name: "n", clock, host, store: undefined, storage: undefined };
  registerNodeMetrics(registry, parts);
  expect(sampleOf(registry, "process_cpu_seconds_total")).toBe(1.5);
  host.resources = { ...host.resources, cpuSeconds: 4 };
  expect(sampleOf(registry, "process_cpu_seconds_total")).toBe(4);
  host.resources = { ...host.resources, cpuSeconds: 3, openDescriptors: undefined };
  expect(sampleOf(registry, "process_cpu_seconds_total")).toBe(4);
});
