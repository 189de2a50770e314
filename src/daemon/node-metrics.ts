/** Metrics that are read off the running parts just before they are rendered; what counts by itself registers elsewhere. */
import type { MetricRegistry } from "#base/metrics.ts";
import { HalfMetrics, type StorageMetrics } from "#daemon/half-metrics.ts";
import { registerRechecks } from "#daemon/recheck-status.ts";
import { registerRepairs } from "#daemon/repair-metrics.ts";
import { registerScrubs } from "#daemon/scrub-status.ts";
import { registerSync } from "#daemon/sync-metrics.ts";
import { registerTracker } from "#daemon/tracker-metrics.ts";
import { type FileStore, storePathConditions, takesFiles } from "#filestore/file-store.ts";
import { storageStatus, storageStatusCaption } from "#model/storage-status.ts";
import type { Clock } from "#platform/clock.ts";
import type { Host } from "#platform/host.ts";
import type { StorageSnapshot } from "#storage/storage-role.ts";
import type { TrackerSnapshot } from "#tracker/tracker-snapshot.ts";

export interface MetricSources {
  readonly version: string;
  /** What people call the node. */
  readonly name: string;
  readonly clock: Clock;
  readonly host: Host;
  readonly store: FileStore | undefined;
  readonly tracker?: (() => TrackerSnapshot) | undefined;
  readonly storage: (() => StorageSnapshot) | undefined;
  /** The second half of a mirror, of which `store` and `storage` are the first. */
  readonly mirror?: { readonly store: FileStore; readonly storage: () => StorageSnapshot };
}

export function registerNodeMetrics(registry: MetricRegistry, sources: MetricSources): void {
  const { clock, host, version, name } = sources;
  registry.info(
    { name: "cairn_build", help: "The release that runs." },
    { version, runtime: "node" },
  );
  registry.info({ name: "cairn_node", help: "What people call the node." }, { name });
  const started = registry.gauge({
    name: "process_start_time_seconds",
    help: "When the process started, in seconds since 1970.",
    unit: "seconds",
  });
  started.with({}).set(clock.nowMs() / 1000);
  registerProcess(registry, host);
  if (sources.tracker !== undefined) registerTracker(registry, sources.tracker);
  const { mirror } = sources;
  if (mirror === undefined) registerHalf(registry, sources);
  else {
    const halves = new HalfMetrics(registry);
    registerHalf(halves.of("first"), sources);
    registerHalf(halves.of("second"), mirror);
  }
}

function registerHalf(
  registry: StorageMetrics,
  { store, storage }: Pick<MetricSources, "store" | "storage">,
): void {
  if (store !== undefined) {
    registerStorePaths(registry, store);
    registerRechecks(registry, store);
  }
  if (storage === undefined) return;
  registerStorage(registry, storage);
  registerRepairs(registry, () => storage().repair);
  registerSync(registry, () => storage().replication);
  registerScrubs(registry, () => storage().scrubs ?? []);
}

function registerProcess(registry: MetricRegistry, host: Host): void {
  const resident = registry.gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of the process that is in RAM.",
    unit: "bytes",
  });
  const cpu = registry.counter({
    name: "process_cpu_seconds",
    help: "CPU time spent, user and system.",
    unit: "seconds",
  });
  const descriptors = registry.gauge({
    name: "process_open_fds",
    help: "Open file descriptors.",
  });
  registry.beforeRender(() => {
    const usage = host.usage();
    resident.with({}).set(usage.residentBytes);
    const spent = cpu.with({});
    spent.add(Math.max(0, usage.cpuSeconds - spent.value));
    if (usage.openDescriptors !== undefined) descriptors.with({}).set(usage.openDescriptors);
  });
}

function registerStorePaths(registry: StorageMetrics, store: FileStore): void {
  const labels = ["path"] as const;
  const total = registry.gauge({
    name: "filestore_size_bytes",
    help: "Size of the file system of a store path.",
    unit: "bytes",
    labels,
  });
  const free = registry.gauge({
    name: "filestore_free_bytes",
    help: "Free space of the file system of a store path.",
    unit: "bytes",
    labels,
  });
  const online = registry.gauge({
    name: "filestore_path_online",
    help: "1 while a store path is served.",
    labels,
  });
  const condition = registry.gauge({
    name: "filestore_path_condition",
    help: "1 for the condition that a store path is in, 0 for the others.",
    labels: ["path", "condition"],
  });
  const quarantines = registry.counter({
    name: "filestore_path_quarantines",
    help: "How often a store path was quarantined since the start.",
    labels,
  });
  const abandoned = registry.counter({
    name: "filestore_abandoned_requests",
    help: "Requests that a disk did not answer in time, or that waited when its path was quarantined.",
    labels,
  });
  registry.beforeRender(() => {
    for (const path of store.paths) {
      const label = { path: String(path.index) };
      total.with(label).set(path.totalBytes);
      free.with(label).set(path.freeBytes);
      online.with(label).set(takesFiles(path.state) ? 1 : 0);
      for (const each of storePathConditions) {
        condition.with({ ...label, condition: each }).set(path.state === each ? 1 : 0);
      }
      const quarantined = quarantines.with(label);
      quarantined.add(Math.max(0, path.quarantines - quarantined.value));
      const givenUp = abandoned.with(label);
      givenUp.add(Math.max(0, path.abandoned - givenUp.value));
    }
  });
}

function registerStorage(registry: StorageMetrics, storage: () => StorageSnapshot): void {
  const operations = registry.counter({
    name: "storage_operations",
    help: "What FastDFS clients asked of the storage, by kind and outcome; byte kinds count bytes.",
    labels: ["kind", "outcome"],
  });
  const connections = registry.gauge({
    name: "storage_connections",
    help: "Open connections of FastDFS clients and peers.",
  });
  const joined = registry.gauge({
    name: "storage_tracker_joined",
    help: "1 while a tracker knows this storage.",
    labels: ["tracker"],
  });
  const status = registry.gauge({
    name: "storage_status",
    help: "1 for the status that this storage has in its group, 0 for the others.",
    labels: ["status"],
  });
  const statusSince = registry.gauge({
    name: "storage_status_since_seconds",
    help: "Since when it has that status, in seconds since 1970.",
    unit: "seconds",
  });
  const members = registry.gauge({
    name: "storage_group_members",
    help: "The other storages of the group, by their status.",
    labels: ["status"],
  });
  registry.beforeRender(() => {
    const { group } = storage();
    statusSince.with({}).set(group.since);
    for (const each of Object.values(storageStatus)) {
      const label = { status: storageStatusCaption(each) };
      status.with(label).set(each === group.status ? 1 : 0);
      members.with(label).set(group.peers.filter((peer) => peer.status === each).length);
    }
  });
  registry.beforeRender(() => {
    const snapshot = storage();
    for (const [kind, count] of snapshot.counters.entries()) {
      const success = operations.with({ kind, outcome: "success" });
      const failure = operations.with({ kind, outcome: "failure" });
      success.add(Math.max(0, count.success - success.value));
      failure.add(Math.max(0, count.total - count.success - failure.value));
    }
    connections.with({}).set(snapshot.connections.current);
    for (const { tracker, state } of snapshot.trackers) {
      joined.with({ tracker }).set(state === "joined" ? 1 : 0);
    }
  });
}
