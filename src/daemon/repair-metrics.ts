/** Metrics of comparisons with peers, and of store paths that are being filled. */
import type { StorageMetrics } from "#daemon/half-metrics.ts";
import type { RepairSnapshot } from "#storage/repair-part.ts";

export function registerRepairs(registry: StorageMetrics, repairs: () => RepairSnapshot): void {
  const rounds = registry.counter({
    name: "storage_comparison_rounds",
    help: "Comparisons of all files with the peers' that came to their end.",
  });
  const repaired = registry.counter({
    name: "storage_comparison_repaired",
    help: "Files that were found to differ from a peer's, and repaired on either side.",
  });
  const failed = registry.gauge({
    name: "storage_comparison_failed",
    help: "Files that the last comparison found to differ and could not repair.",
  });
  const ended = registry.gauge({
    name: "storage_comparison_ended_seconds",
    help: "When the last comparison ended, in seconds since 1970; 0 for none.",
    unit: "seconds",
  });
  const files = registry.gauge({
    name: "storage_recovery_files",
    labels: ["path"],
    help: "Files that were fetched for a store path that came back empty.",
  });
  const bytes = registry.gauge({
    name: "storage_recovery_bytes",
    labels: ["path"],
    help: "Bytes that were fetched for a store path that came back empty.",
    unit: "bytes",
  });
  const active = registry.gauge({
    name: "storage_recovery_active",
    labels: ["path"],
    help: "1 while a store path that came back empty is being filled.",
  });
  const remaining = registry.gauge({
    name: "storage_recovery_remaining_seconds",
    labels: ["path"],
    help: "When a store path will be full again, as far as one can say; 0 otherwise.",
    unit: "seconds",
  });
  registry.beforeRender(() => {
    const { comparison, recoveries } = repairs();
    raise(rounds.with({}), comparison.rounds);
    raise(repaired.with({}), comparison.repairedTotal);
    failed.with({}).set(comparison.failed);
    ended.with({}).set(comparison.lastEnded);
    for (const recovery of recoveries) {
      const path = { path: String(recovery.storePath) };
      files.with(path).set(recovery.files);
      bytes.with(path).set(recovery.bytes);
      active.with(path).set(recovery.state === "done" ? 0 : 1);
      remaining.with(path).set(recovery.remainingSeconds ?? 0);
    }
  });
}

function raise(counter: { readonly value: number; add(by: number): void }, to: number): void {
  counter.add(Math.max(0, to - counter.value));
}
