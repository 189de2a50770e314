/** What people are told about store paths whose files may have been lost, and metrics of it. */
import type { StorageMetrics } from "#daemon/half-metrics.ts";
import type { FileStore, StorePathReport } from "#filestore/file-store.ts";

/** In words, and what to do; undefined where no file is in doubt, and none is lost. */
export function recheckProblem({
  index,
  directory,
  recheck,
}: Pick<StorePathReport, "index" | "directory" | "recheck">): string | undefined {
  if (recheck === undefined) return undefined;
  const { state, why, percent, lost, examples } = recheck;
  const cause =
    why === "binlog-lost" ? "the end of its log is gone" : "the last end was not orderly";
  const where = `Store path ${index} (${directory})`;
  const such = examples.length === 0 ? "" : ` (such as ${examples.join(", ")})`;
  const found = `${lost} lost so far${such}`;
  switch (state) {
    case "running":
      return `${where}: ${cause}, so its files are looked at again, ${percent} % done, ${found}. They are served meanwhile, each after a look at it.`;
    case "done":
      return `${where}: ${cause}; ${found}. What the other storages have is fetched from them.`;
    case "settled":
      return `${where} has lost ${lost} files${such}, and no other storage has them: ${directory}/data/.cairn/lost-files names them, and what is left of them is in ${directory}/data/.cairn/aside.`;
  }
}

export function registerRechecks(registry: StorageMetrics, store: FileStore): void {
  const labels = ["path"] as const;
  const doubtful = registry.gauge({
    name: "filestore_path_in_doubt",
    help: "1 while files of a store path may have been lost, and are looked at again or compared with the peers'.",
    labels,
  });
  const lost = registry.gauge({
    name: "filestore_path_lost_files",
    help: "Files that were found to be lost after the last start, in the end those that no peer brought back.",
    labels,
  });
  registry.beforeRender(() => {
    for (const { index, recheck } of store.paths) {
      const label = { path: String(index) };
      const isOver = recheck === undefined || recheck.state === "settled";
      doubtful.with(label).set(isOver ? 0 : 1);
      lost.with(label).set(recheck?.lost ?? 0);
    }
  });
}
