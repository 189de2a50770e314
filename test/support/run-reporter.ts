/**
 * Ends a vitest run with what failed, what was skipped, why and how to get it, and with one line of counts. A test file that cannot be
 * loaded and an error outside of any test count as failures too. Where `CAIRN_REPORT_DIR` is set, the counts go to a file in
 * there instead of the closing line: `.ci/run` adds up several runs.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Reporter, TestModule } from "vitest/node";

export interface RunCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What the reporter reads of an error; vitest's own objects satisfy it. */
export interface TestFailure {
  readonly message: string;
  /** What differs between the expected and the received value. */
  readonly diff?: string | undefined;
  readonly stacks?: readonly { readonly file: string; readonly line: number }[] | undefined;
}

/** What the reporter reads of a test; vitest's own objects satisfy it. */
export interface FinishedTest {
  readonly fullName: string;
  result(): {
    readonly state: string;
    readonly note?: string | undefined;
    /** Of a test that passed at a later try: what failed before. */
    readonly errors?: readonly TestFailure[] | undefined;
  };
  diagnostic?(): { readonly flaky: boolean } | undefined;
}

/** What the reporter reads of a test file. */
export interface FinishedModule {
  /** Relative to the repository. */
  readonly relativeModuleId: string;
  readonly children: { allTests(): Iterable<FinishedTest> };
  errors(): readonly unknown[];
}

export interface RunSummary {
  readonly counts: RunCounts;
  /** Of each failure: where, what, how the first error begins, and what differs. */
  readonly failures: readonly string[];
  /** Of each test that failed first and then passed: where, what, and how the first error begins. They count as passed. */
  readonly secondTries: readonly string[];
  /** Why tests were skipped, with how many were for that reason. */
  readonly skips: ReadonlyMap<string, number>;
}

/** Enough of an error to know it again, and of what differs to see why: logs of CI are cut at their begin. */
const maxErrorLength = 600;
const maxDiffLength = 1200;

/** Adds up one run. `strayErrors` are failures that belong to no test. */
export function summarize(
  modules: readonly FinishedModule[],
  strayErrors: readonly unknown[],
): RunSummary {
  let passed = 0;
  const failures = strayErrors.map((error) => `outside of any test: ${beginOf(error)}`);
  const secondTries: string[] = [];
  const skips = new Map<string, number>();
  for (const module of modules) {
    const file = module.relativeModuleId;
    failures.push(...module.errors().map((error) => `${file}: ${beginOf(error)}`));
    for (const test of module.children.allTests()) {
      const result = test.result();
      const told = `${file} > ${test.fullName}: ${describe(result.errors?.[0])}`;
      if (result.state === "passed") {
        passed += 1;
        if (test.diagnostic?.()?.flaky === true) secondTries.push(told);
      } else if (result.state === "failed") failures.push(told);
      else {
        const why = result.note ?? "skipped without a reason";
        skips.set(why, (skips.get(why) ?? 0) + 1);
      }
    }
  }
  const skipped = [...skips.values()].reduce((sum, count) => sum + count, 0);
  return { counts: { passed, failed: failures.length, skipped }, failures, secondTries, skips };
}

function beginOf(error: unknown): string {
  const hasMessage = typeof error === "object" && error !== null && "message" in error;
  const text = stripVTControlCharacters(String(hasMessage ? error.message : error));
  return text.replaceAll(/\s+/g, " ").trim().slice(0, maxErrorLength);
}

function describe(error: TestFailure | undefined): string {
  const place = error?.stacks?.[0];
  const at = place === undefined ? "" : ` (${basename(place.file)}:${place.line})`;
  const diff = stripVTControlCharacters(error?.diff ?? "").trim();
  const shown = diff === "" ? "" : `\n${diff.slice(0, maxDiffLength)}`;
  return `${beginOf(error)}${at}${shown}`;
}

/** The lines that close a run. */
export function renderSummary(summary: RunSummary): string[] {
  const { passed, failed, skipped } = summary.counts;
  const lines = summary.secondTries.map((what) => `passed at the second try: ${what}`);
  lines.push(...summary.failures.map((failure) => `failed: ${failure}`));
  for (const [why, count] of summary.skips) lines.push(`skipped ${count}: ${why}`);
  const tail = skipped === 0 ? "" : `, ${skipped} skipped`;
  return [...lines, `${passed} passed, ${failed} failed${tail}`];
}

export class RunReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const summary = summarize(modules, unhandledErrors);
    const lines = renderSummary(summary);
    const directory = process.env.CAIRN_REPORT_DIR;
    if (directory !== undefined) {
      mkdirSync(directory, { recursive: true });
      const { counts, failures, secondTries } = summary;
      const skips = Object.fromEntries(summary.skips);
      const report = { ...counts, failures, secondTries, skips };
      writeFileSync(join(directory, `${Date.now()}-${process.pid}.json`), JSON.stringify(report));
      lines.pop();
    }
    for (const line of lines) console.log(line);
  }
}
