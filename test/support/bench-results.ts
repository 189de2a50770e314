/** Results of benchmarks as tests need them. */
import type { Figures, StepResult } from "#cli/bench/bench-result.ts";
import { parseStep } from "#cli/bench/bench-step.ts";
import type { BenchTarget } from "#cli/bench/bench-target.ts";

export function figures(changes: Partial<Figures> = {}): Figures {
  return {
    operations: 1000,
    failed: 0,
    failures: {},
    operationsPerSecond: 1234.5,
    megabytesPerSecond: 5.0565,
    p50Ms: 1.25,
    p99Ms: 12.34,
    p999Ms: 123.4,
    maxMs: 200,
    cpuMicrosPerOperation: 50,
    cpuSecondsPerGb: 12.2,
    peakBytes: 64 * 1024 * 1024,
    generatorCpus: 0.3,
    unanswered: 0,
    endedBy: "duration",
    ...changes,
  };
}

export function benchTarget(name: string, changes: Partial<BenchTarget> = {}): BenchTarget {
  return {
    name,
    trackers: [{ address: "127.0.0.1", port: 22122 }],
    storages: [{ address: "127.0.0.1", port: 23000 }],
    processes: [42],
    durability: "flushed",
    fileSystem: "ext4 on /dev/sda1",
    version: undefined,
    ...changes,
  };
}

/** `step` as on the command line; figures by target. */
export function stepResult(
  step: string,
  found: Readonly<Record<string, Figures | undefined>>,
): StepResult {
  return {
    step: parseStep(step),
    targets: Object.entries(found).map(([target, one]) => ({
      target,
      figures: one,
      rounds: one === undefined ? [] : [one],
      skipped: one === undefined ? "no tracker is known" : undefined,
    })),
  };
}
