/** Metrics of the links to the peers, and of files that were fetched because they were asked for. */
import type { StorageMetrics } from "#daemon/half-metrics.ts";
import type { ReplicationSnapshot } from "#storage/replication.ts";

export function registerSync(
  registry: StorageMetrics,
  replication: () => ReplicationSnapshot,
): void {
  const labels = ["peer"] as const;
  const pending = registry.gauge({
    name: "storage_sync_pending_records",
    help: "Changes that were read from the binlog and are not acknowledged by a peer.",
    labels,
  });
  const backlog = registry.gauge({
    name: "storage_sync_backlog_bytes",
    help: "Bytes of the binlogs that were not read for a peer yet.",
    unit: "bytes",
    labels,
  });
  const lag = registry.gauge({
    name: "storage_sync_lag_seconds",
    help: "How long the oldest change that a peer lacks has waited; NaN while that is not known.",
    unit: "seconds",
    labels,
  });
  const aside = registry.gauge({
    name: "storage_sync_set_aside_records",
    help: "Changes that could not be sent to a peer, and are tried again.",
    labels,
  });
  const sending = registry.gauge({
    name: "storage_sync_sending",
    help: "1 while changes are sent to a peer as they happen.",
    labels,
  });
  const fetched = registry.counter({
    name: "storage_fetched_files",
    help: "Files that were asked for and not here, by what became of it.",
    labels: ["outcome"],
  });
  const fetchedBytes = registry.counter({
    name: "storage_fetched_bytes",
    help: "Bytes of files that were fetched from peers because they were asked for.",
    unit: "bytes",
  });
  registerRelays(registry, replication);
  registry.beforeRender(() => {
    const { links, fetches } = replication();
    for (const { peer, phase, paths, lagSeconds } of links) {
      const label = { peer };
      const total = (values: readonly number[]): number =>
        values.reduce((all, value) => all + value, 0);
      pending.with(label).set(total(paths.map((path) => path.pending)));
      backlog.with(label).set(total(paths.map((path) => path.backlogBytes)));
      aside.with(label).set(total(paths.map((path) => path.aside.length)));
      lag.with(label).set(lagSeconds ?? Number.NaN);
      sending.with(label).set(phase === "sending" ? 1 : 0);
    }
    for (const outcome of ["fetched", "missing", "failed"] as const) {
      const series = fetched.with({ outcome });
      series.add(Math.max(0, fetches[outcome] - series.value));
    }
    const series = fetchedBytes.with({});
    series.add(Math.max(0, fetches.bytes - series.value));
  });
}

function registerRelays(registry: StorageMetrics, replication: () => ReplicationSnapshot): void {
  const relayed = registry.counter({
    name: "storage_relayed_reads",
    help: "Reads of files whose disk is not served here, by whether a peer had them.",
    labels: ["outcome"],
  });
  registry.beforeRender(() => {
    const { relays } = replication();
    for (const outcome of ["relayed", "failed"] as const) {
      const series = relayed.with({ outcome });
      series.add(Math.max(0, relays[outcome] - series.value));
    }
  });
}
