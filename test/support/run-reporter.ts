/**
 * Ends a vitest run with what was skipped, why and how to get it, and with one line of counts. A test file that cannot be
 * loaded and an error outside of any test count as failures too. Where `CAIRN_REPORT_DIR` is set, the counts go to a file in
 * there instead of the closing line: `.ci/run` adds up several runs.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

export interface RunCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What the reporter reads of a test; vitest's own objects satisfy it. */
export interface FinishedTest {
  result(): { readonly state: string; readonly note?: string | undefined };
}

/** What the reporter reads of a test file. */
export interface FinishedModule {
  readonly children: { allTests(): Iterable<FinishedTest> };
  errors(): readonly unknown[];
}

export interface RunSummary {
  readonly counts: RunCounts;
  /** Why tests were skipped, with how many were for that reason. */
  readonly skips: ReadonlyMap<string, number>;
}

/** Adds up one run. `strayErrors` are failures that belong to no test. */
export function summarize(modules: readonly FinishedModule[], strayErrors: number): RunSummary {
  let passed = 0;
  let failed = strayErrors;
  const skips = new Map<string, number>();
  for (const module of modules) {
    failed += module.errors().length;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") passed += 1;
      else if (result.state === "failed") failed += 1;
      else {
        const why = result.note ?? "skipped without a reason";
        skips.set(why, (skips.get(why) ?? 0) + 1);
      }
    }
  }
  const skipped = [...skips.values()].reduce((sum, count) => sum + count, 0);
  return { counts: { passed, failed, skipped }, skips };
}

/** The lines that close a run. */
export function renderSummary(summary: RunSummary): string[] {
  const { passed, failed, skipped } = summary.counts;
  const lines = [...summary.skips].map(([why, count]) => `skipped ${count}: ${why}`);
  const tail = skipped === 0 ? "" : `, ${skipped} skipped`;
  return [...lines, `${passed} passed, ${failed} failed${tail}`];
}

export class RunReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const summary = summarize(modules, unhandledErrors.length);
    const lines = renderSummary(summary);
    const directory = process.env.CAIRN_REPORT_DIR;
    if (directory !== undefined) {
      mkdirSync(directory, { recursive: true });
      const report = { ...summary.counts, skips: Object.fromEntries(summary.skips) };
      writeFileSync(join(directory, `${Date.now()}-${process.pid}.json`), JSON.stringify(report));
      lines.pop();
    }
    for (const line of lines) console.log(line);
  }
}
