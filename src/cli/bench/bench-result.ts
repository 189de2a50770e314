/** What a benchmark found out: figures of each round, and of all rounds of a step together. Pure. */
import type { BenchStep } from "#cli/bench/bench-step.ts";
import type { ProcessUsage } from "#cli/bench/process-usage.ts";
import { knownMedian, median } from "#cli/bench/statistics.ts";
import { operationFacts } from "#client/load/load-operation.ts";
import { type LoadEnd, LoadTally } from "#client/load/load-tally.ts";

/** One step on one target once. */
export interface Round {
  readonly tally: LoadTally;
  /** What the server processes used in between; undefined where they are not known. */
  readonly serverCpuSeconds: number | undefined;
  /** The most that they ever had in memory. */
  readonly serverPeakBytes: number | undefined;
  /** What this process used to make the load. */
  readonly generatorCpuSeconds: number | undefined;
}

/** All rounds together: rates and CPU are medians of the rounds, times those of all operations. */
export interface Figures {
  readonly operations: number;
  readonly failed: number;
  /** Why, with how often. */
  readonly failures: Readonly<Record<string, number>>;
  readonly operationsPerSecond: number;
  /** Millions of bytes a second; undefined where no content is moved. */
  readonly megabytesPerSecond: number | undefined;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  readonly cpuMicrosPerOperation: number | undefined;
  /** A thousand million bytes. */
  readonly cpuSecondsPerGb: number | undefined;
  readonly peakBytes: number | undefined;
  /** CPUs that the generator kept busy; near 1 it was slower than the server. */
  readonly generatorCpus: number | undefined;
  readonly unanswered: number;
  readonly endedBy: LoadEnd;
}

export interface StepResult {
  readonly step: BenchStep;
  readonly targets: readonly TargetResult[];
}

export interface TargetResult {
  readonly target: string;
  /** Undefined where it was not measured, for `skipped` says why. */
  readonly figures: Figures | undefined;
  readonly rounds: readonly Figures[];
  readonly skipped: string | undefined;
}

/** The generator runs in one thread; from here on it may be what limits the rate. */
export const busyGeneratorCpus = 0.9;

/** What two looks at the same processes differ in. */
export function usageBetween(
  before: ProcessUsage | undefined,
  after: ProcessUsage | undefined,
): number | undefined {
  if (before === undefined || after === undefined) return undefined;
  return after.cpuSeconds - before.cpuSeconds;
}

/** At least one round. */
export function figuresOf(step: BenchStep, rounds: readonly Round[]): Figures {
  const all = new LoadTally();
  for (const { tally } of rounds) all.add(tally);
  const moves = operationFacts[step.operation].movesContent;
  const each = (value: (round: Round) => number | undefined): number | undefined =>
    knownMedian(rounds.map(value));
  const rate = (amount: number, { tally }: Round): number =>
    tally.elapsedMs > 0 ? (amount * 1000) / tally.elapsedMs : 0;
  const peaks = rounds.flatMap(({ serverPeakBytes }) => serverPeakBytes ?? []);
  return {
    operations: all.succeeded,
    failed: all.failures.total,
    failures: Object.fromEntries(all.failures.entries()),
    operationsPerSecond: median(rounds.map((one) => rate(one.tally.succeeded, one))) ?? 0,
    megabytesPerSecond: moves ? each((one) => rate(one.tally.bytes / 1e6, one)) : undefined,
    p50Ms: all.latency.percentileMs(50),
    p99Ms: all.latency.percentileMs(99),
    p999Ms: all.latency.percentileMs(99.9),
    maxMs: all.latency.maxMs,
    cpuMicrosPerOperation: each(({ serverCpuSeconds, tally }) =>
      per(serverCpuSeconds, tally.succeeded / 1e6),
    ),
    cpuSecondsPerGb: moves
      ? each(({ serverCpuSeconds, tally }) => per(serverCpuSeconds, tally.bytes / 1e9))
      : undefined,
    peakBytes: peaks.length === 0 ? undefined : Math.max(...peaks),
    generatorCpus: each(({ generatorCpuSeconds, tally }) =>
      per(generatorCpuSeconds, tally.elapsedMs / 1000),
    ),
    unanswered: all.unanswered,
    endedBy: all.endedBy,
  };
}

function per(amount: number | undefined, of: number): number | undefined {
  return amount === undefined || of <= 0 ? undefined : amount / of;
}
