/** What people are told about damaged files, and metrics of scrubs. */
import type { StorageMetrics } from "#daemon/half-metrics.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import type { PathScrub } from "#storage/scrub-part.ts";

const maxNamed = 3;

/** In words, and what to do; nothing where no file is damaged. */
export function scrubProblems(
  scrubs: readonly PathScrub[],
  paths: readonly Pick<StorePathReport, "index" | "directory">[],
): string[] {
  return scrubs.flatMap((scrub) => {
    const directory = paths.find(({ index }) => index === scrub.storePath)?.directory ?? "";
    const where = `Store path ${scrub.storePath} (${directory})`;
    const problems: string[] = [];
    if (scrub.damagedTotal > 0) problems.push(damageInWords(scrub, where, directory));
    if (scrub.state === "waiting") {
      problems.push(`${where}: the scrub cannot go on, and tries again: ${scrub.problem}.`);
    }
    return problems;
  });
}

function damageInWords(
  { damaged, damagedTotal }: PathScrub,
  where: string,
  directory: string,
): string {
  const lost = damaged.filter(({ state }) => state === "lost").length;
  const unreadable = damaged.filter(({ damage }) => damage === "unreadable").length;
  const such = damaged.slice(0, maxNamed).map(({ place }) => place);
  const count = damagedTotal === 1 ? "1 damaged file" : `${damagedTotal} damaged files`;
  const words = [`${where} has ${count} (such as ${such.join(", ")})`];
  if (unreadable > 0)
    words.push(`the disk does not give ${unreadable} of them: look at its health`);
  const open = damagedTotal - lost;
  if (open > 0) words.push(`${open} are being had from the other storages`);
  if (lost > 0) {
    words.push(
      `of ${lost} no other storage has a good copy, and what is left of them is in ${directory}/data/.cairn/aside`,
    );
  }
  return `${words.join("; ")}. cairn scrub report lists them.`;
}

export function registerScrubs(registry: StorageMetrics, scrubs: () => readonly PathScrub[]): void {
  const labels = ["path"] as const;
  const gauge = (name: string, help: string) => registry.gauge({ name, help, labels });
  const running = gauge("scrub_running", "1 while all files of a store path are read.");
  const done = gauge("scrub_progress_ratio", "How much of the run under way is done, 0 to 1.");
  const ended = gauge(
    "scrub_last_end_seconds",
    "When all files of a store path had been read last, in seconds since 1970; 0 for never.",
  );
  const files = gauge("scrub_files", "Files looked at in the run under way, or the last one.");
  const bytes = gauge("scrub_read_bytes", "Bytes read in the run under way, or the last one.");
  const found = gauge("scrub_damaged_files", "Files found to be damaged in that run.");
  const unreadable = gauge("scrub_unreadable_files", "Of these, files that the disk did not give.");
  const open = gauge("scrub_open_files", "Damaged files that are not healed yet.");
  const healed = gauge("scrub_healed_files", "Damaged files healed since the start.");
  registry.beforeRender(() => {
    for (const scrub of scrubs()) {
      const label = { path: String(scrub.storePath) };
      const { tally, state, directoriesDone, directoriesTotal } = scrub;
      running.with(label).set(state === "running" ? 1 : 0);
      done.with(label).set(state === "idle" ? 1 : directoriesDone / Math.max(1, directoriesTotal));
      ended.with(label).set(scrub.endedAt);
      files.with(label).set(tally.files);
      bytes.with(label).set(tally.bytes);
      found.with(label).set(tally.damaged);
      unreadable.with(label).set(tally.unreadable);
      open.with(label).set(scrub.damagedTotal);
      healed.with(label).set(scrub.healed);
    }
  });
}
