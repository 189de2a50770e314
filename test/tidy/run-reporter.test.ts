/** The closing lines of a test run: what CI reads must count what happened. */
import { expect, test } from "vitest";
import { type FinishedModule, renderSummary, summarize } from "../support/run-reporter.ts";

function module(states: readonly string[], errors: readonly unknown[] = []): FinishedModule {
  const tests = states.map((text) => {
    const [state = "", note] = text.split(": ");
    return { result: () => ({ state, note }) };
  });
  return { children: { allTests: () => tests }, errors: () => errors };
}

test("passed, failed and skipped tests are added up over the files", () => {
  const modules = [module(["passed", "passed", "failed"]), module(["passed", "skipped: no nginx"])];
  const summary = summarize(modules, 0);
  expect(renderSummary(summary)).toEqual(["skipped 1: no nginx", "3 passed, 1 failed, 1 skipped"]);
});

test("a file that could not be loaded and a stray error are failures", () => {
  const summary = summarize([module([], [new Error("syntax")]), module(["passed"])], 1);
  expect(renderSummary(summary)).toEqual(["1 passed, 2 failed"]);
});

test("skips of one kind share a line, and one without a reason says so", () => {
  const modules = [module(["skipped: no root", "skipped: no root", "skipped"])];
  expect(renderSummary(summarize(modules, 0))).toEqual([
    "skipped 2: no root",
    "skipped 1: skipped without a reason",
    "0 passed, 0 failed, 3 skipped",
  ]);
});
