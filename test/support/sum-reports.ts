/**
 * Closes a CI run: adds up what the runs of vitest left in the folder that is named (`run-reporter.ts`), names what failed or
 * passed only at the second try, and ends with one line of counts. Exit status 1 where a test failed, was skipped, or none ran.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunCounts } from "./run-reporter.ts";

export interface Report extends RunCounts {
  readonly failures: readonly string[];
  readonly secondTries: readonly string[];
  readonly skips: Readonly<Record<string, number>>;
}

/** All reports in `folder`. */
export function readReports(folder: string): Report[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Report);
}

export interface Verdict {
  readonly lines: readonly string[];
  readonly good: boolean;
}

/** What to print, and whether it is good. */
export function judge(reports: readonly Report[]): Verdict {
  const sum = (pick: (report: Report) => number): number =>
    reports.reduce((total, report) => total + pick(report), 0);
  const passed = sum((report) => report.passed);
  const failed = sum((report) => report.failed);
  const skipped = sum((report) => report.skipped);
  const skips = reports.flatMap((report) => Object.entries(report.skips));
  const lines = reports.flatMap(({ secondTries }) =>
    secondTries.map((what) => `passed at the second try: ${what}`),
  );
  lines.push(...reports.flatMap(({ failures }) => failures.map((failure) => `failed: ${failure}`)));
  for (const [why, count] of skips) lines.push(`skipped ${count}: ${why}`);
  const tail = skipped === 0 ? "" : `, ${skipped} skipped`;
  lines.push(`${passed} passed, ${failed} failed${tail}`);
  return { lines, good: passed > 0 && failed === 0 && skipped === 0 };
}

if (import.meta.main) {
  const verdict = judge(readReports(process.argv[2] ?? "."));
  for (const line of verdict.lines) console.log(line);
  process.exitCode = verdict.good ? 0 : 1;
}
