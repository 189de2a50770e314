import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { registerSync } from "#daemon/sync-metrics.ts";
import { StorageId } from "#model/storage-id.ts";
import { noLinks } from "../../support/sync-snapshots.ts";

test("links and fetches are told a peer and an outcome each", () => {
  const registry = new MetricRegistry();
  const path = {
    storePathIndex: 0,
    oldestTimestamp: 5,
    isKnown: true,
    problem: undefined,
    aside: [],
  };
  const link = {
    ...({ peer: StorageId("10.0.0.2"), phase: "sending", state: "", dialect: "cairn" } as const),
    paths: [{ ...path, pending: 3, backlogBytes: 100 }],
    ...{ lagSeconds: 4, heldUntil: 0 },
  };
  const fetches = { fetched: 2, missing: 1, failed: 0, bytes: 300 };
  const relays = { relayed: 4, failed: 1 };
  registerSync(registry, () => ({ ...noLinks, links: [link], fetches, relays }));
  const text = registry.render("openmetrics");
  for (const line of [
    'storage_sync_pending_records{peer="10.0.0.2"} 3',
    'storage_sync_backlog_bytes{peer="10.0.0.2"} 100',
    'storage_sync_lag_seconds{peer="10.0.0.2"} 4',
    'storage_sync_set_aside_records{peer="10.0.0.2"} 0',
    'storage_sync_sending{peer="10.0.0.2"} 1',
    'storage_fetched_files_total{outcome="fetched"} 2',
    "storage_fetched_bytes_total 300",
    'storage_relayed_reads_total{outcome="relayed"} 4',
    'storage_relayed_reads_total{outcome="failed"} 1',
  ]) {
    expect(text).toContain(line);
  }
});
