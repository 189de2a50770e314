/** Figures of rounds. */
import { expect, test } from "vitest";
import { figuresOf, type Round, usageBetween } from "#cli/bench/bench-result.ts";
import { parseStep } from "#cli/bench/bench-step.ts";
import { LoadTally } from "#client/load/load-tally.ts";

function round(succeeded: number, seconds: number, cpuSeconds?: number): Round {
  const tally = new LoadTally();
  tally.succeeded = succeeded;
  tally.bytes = succeeded * 1000;
  tally.elapsedMs = seconds * 1000;
  for (let at = 0; at < succeeded; at += 1) tally.latency.record(at + 1);
  return {
    tally,
    serverCpuSeconds: cpuSeconds,
    serverPeakBytes: cpuSeconds === undefined ? undefined : succeeded,
    generatorCpuSeconds: seconds / 2,
  };
}

test("rates and CPU are medians of the rounds, times are of all operations", () => {
  const rounds = [round(100, 1, 0.1), round(300, 1, 0.9), round(200, 1, 0.2)];
  const found = figuresOf(parseStep("upload:1000:1"), rounds);
  expect(found).toMatchObject({
    operations: 600,
    operationsPerSecond: 200,
    megabytesPerSecond: 0.2,
    cpuMicrosPerOperation: 1000,
    peakBytes: 300,
    generatorCpus: 0.5,
    maxMs: 300,
    failed: 0,
  });
  expect(found.cpuSecondsPerGb).toBeCloseTo(1000);
  expect(found.p50Ms).toBeGreaterThanOrEqual(100);
  expect(found.p50Ms).toBeLessThan(103);
});

test("what moves no content has no rate of bytes, what is not known stays so", () => {
  const found = figuresOf(parseStep("ping:1"), [round(10, 1)]);
  expect(found.megabytesPerSecond).toBeUndefined();
  expect([found.cpuMicrosPerOperation, found.cpuSecondsPerGb, found.peakBytes]).toEqual([
    ...[undefined, undefined, undefined],
  ]);
});

test("a round in which nothing succeeded has no CPU an operation, and failures are told", () => {
  const bad = round(0, 1, 0.5);
  bad.tally.failures.count("status 28 (no space)", 3);
  bad.tally.unanswered = 2;
  const found = figuresOf(parseStep("upload:1000:1"), [bad]);
  expect(found).toMatchObject({
    operationsPerSecond: 0,
    cpuMicrosPerOperation: undefined,
    failed: 3,
    failures: { "status 28 (no space)": 3 },
    unanswered: 2,
  });
});

test("usage is what came in between", () => {
  const before = { cpuSeconds: 1, peakBytes: 5 };
  expect(usageBetween(before, { cpuSeconds: 3, peakBytes: 6 })).toBe(2);
  expect(usageBetween(undefined, before)).toBeUndefined();
  expect(usageBetween(before, undefined)).toBeUndefined();
});
