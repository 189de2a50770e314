/** The closing lines of a test run: what CI reads must count what happened. */
import { expect, test } from "vitest";
import { type FinishedModule, renderSummary, summarize } from "../support/run-reporter.ts";

function module(states: readonly string[], errors: readonly unknown[] = []): FinishedModule {
  const tests = states.map((text) => {
    const [state = "", note] = text.split(": ");
    const failed = state === "failed" ? { errors: [{ message: note ?? "" }] } : {};
    return { fullName: "it works", result: () => ({ state, note, ...failed }) };
  });
  const children = { allTests: () => tests };
  return { relativeModuleId: "test/a.test.ts", children, errors: () => errors };
}

test("passed, failed and skipped tests are added up over the files", () => {
  const modules = [
    module(["passed", "passed", "failed: expected\n  1"]),
    module(["passed", "skipped: no nginx"]),
  ];
  const summary = summarize(modules, []);
  expect(renderSummary(summary)).toEqual([
    "failed: test/a.test.ts > it works: expected 1",
    "skipped 1: no nginx",
    "3 passed, 1 failed, 1 skipped",
  ]);
});

test("a file that could not be loaded and a stray error are failures", () => {
  const modules = [module([], [new Error("syntax")]), module(["passed"])];
  const summary = summarize(modules, [new Error("stray")]);
  expect(renderSummary(summary)).toEqual([
    "failed: outside of any test: stray",
    "failed: test/a.test.ts: syntax",
    "1 passed, 2 failed",
  ]);
});

test("skips of one kind share a line, and one without a reason says so", () => {
  const modules = [module(["skipped: no root", "skipped: no root", "skipped"])];
  expect(renderSummary(summarize(modules, []))).toEqual([
    "skipped 2: no root",
    "skipped 1: skipped without a reason",
    "0 passed, 0 failed, 3 skipped",
  ]);
});

test("of a failure it is told where it was, and what differs", () => {
  const errors = [
    {
      message: "expected 2 to be 1",
      diff: "- Expected\n+ Received\n\n- 1\n+ 2",
      stacks: [{ file: "/home/a/test/a.test.ts", line: 12 }],
    },
  ];
  const failing = { fullName: "it counts", result: () => ({ state: "failed", errors }) };
  const children = { allTests: () => [failing] };
  const summary = summarize(
    [{ relativeModuleId: "test/a.test.ts", children, errors: () => [] }],
    [],
  );
  expect(summary.failures).toEqual([
    "test/a.test.ts > it counts: expected 2 to be 1 (a.test.ts:12)\n- Expected\n+ Received\n\n- 1\n+ 2",
  ]);
});

test("a test that passed at the second try counts as passed and is named with its first error", () => {
  const errors = [{ message: "too late" }];
  const result = () => ({ state: "passed", errors });
  const shaky = { fullName: "it waits", result, diagnostic: () => ({ flaky: true }) };
  const steady = { fullName: "it works", result, diagnostic: () => ({ flaky: false }) };
  const children = { allTests: () => [shaky, steady] };
  const modules = [{ relativeModuleId: "test/a.test.ts", children, errors: () => [] }];
  expect(renderSummary(summarize(modules, []))).toEqual([
    "passed at the second try: test/a.test.ts > it waits: too late",
    "2 passed, 0 failed",
  ]);
});
