/** The result of a benchmark as text: a line a step and target, and below them what the lines cannot say. Pure. */
import {
  busyGeneratorCpus,
  type Figures,
  type StepResult,
  type TargetResult,
} from "#cli/bench/bench-result.ts";
import { stepName } from "#cli/bench/bench-step.ts";
import type { BenchTarget } from "#cli/bench/bench-target.ts";
import { mebibytes, shortNumber } from "#cli/bench/bench-words.ts";
import { type Column, renderTable } from "#cli/render/table.ts";

interface Row {
  readonly step: string;
  readonly target: BenchTarget;
  readonly figures: Figures;
  /** CPU an operation, by that of the last target. */
  readonly ratio: number | undefined;
}

/** Line by line; nothing without results. */
export function benchTable(
  results: readonly StepResult[],
  targets: readonly BenchTarget[],
): readonly string[] {
  const rows = results.flatMap((result) => rowsOf(result, targets));
  if (rows.length === 0) return [];
  const shown = targets.length > 1 ? columns : columns.filter(({ heading }) => heading !== "RATIO");
  return [...renderTable(rows, shown), "", ...remarks(results), ...explanations(targets)];
}

function rowsOf(result: StepResult, targets: readonly BenchTarget[]): readonly Row[] {
  const reference = result.targets.at(-1)?.figures?.cpuMicrosPerOperation;
  return result.targets.flatMap(({ target: name, figures }) => {
    const target = targets.find((one) => one.name === name);
    if (figures === undefined || target === undefined) return [];
    const own = figures.cpuMicrosPerOperation;
    const ratio = own === undefined || !reference ? undefined : own / reference;
    return [{ step: stepName(result.step), target, figures, ratio }];
  });
}

const columns: readonly Column<Row>[] = [
  { heading: "STEP", text: ({ step }) => step },
  { heading: "TARGET", text: ({ target }) => target.name },
  {
    heading: "OPS/S",
    text: ({ figures }) => shortNumber(figures.operationsPerSecond),
    right: true,
  },
  { heading: "MB/S", text: ({ figures }) => shortNumber(figures.megabytesPerSecond), right: true },
  { heading: "P50 MS", text: ({ figures }) => shortNumber(figures.p50Ms), right: true },
  { heading: "P99 MS", text: ({ figures }) => shortNumber(figures.p99Ms), right: true },
  { heading: "P99.9 MS", text: ({ figures }) => shortNumber(figures.p999Ms), right: true },
  { heading: "FAILED", text: ({ figures }) => String(figures.failed), right: true },
  {
    heading: "CPU US/OP",
    text: ({ figures }) => shortNumber(figures.cpuMicrosPerOperation),
    right: true,
  },
  { heading: "RATIO", text: ({ ratio }) => shortNumber(ratio), right: true },
  { heading: "CPU S/GB", text: ({ figures }) => shortNumber(figures.cpuSecondsPerGb), right: true },
  { heading: "PEAK MIB", text: ({ figures }) => mebibytes(figures.peakBytes), right: true },
  { heading: "DURABILITY", text: ({ target }) => target.durability },
  { heading: "FILE SYSTEM", text: ({ target }) => target.fileSystem },
];

/** What went other than planned, a line each. */
function remarks(results: readonly StepResult[]): readonly string[] {
  const lines = results.flatMap(({ step, targets }) =>
    targets.flatMap((one) =>
      remarksOf(one).map((text) => `${stepName(step)}, ${one.target}: ${text}`),
    ),
  );
  return lines.length === 0 ? [] : [...lines, ""];
}

function remarksOf({ figures, skipped }: TargetResult): readonly string[] {
  if (figures === undefined) return [`not measured, ${skipped ?? "for no reason"}`];
  const failures = Object.entries(figures.failures).map(
    ([why, times]) => `${times} failed: ${why}`,
  );
  const { endedBy, unanswered, generatorCpus } = figures;
  if (endedBy === "files") failures.push("ended early, because no files were left");
  if (endedBy === "space") failures.push("ended early, because --space was used up");
  if (endedBy === "lost") failures.push("ended early, because the server could not be reached");
  if (unanswered > 0) {
    failures.push(`${unanswered} uploads broke off; the server may have kept files of them`);
  }
  if (generatorCpus !== undefined && generatorCpus >= busyGeneratorCpus) {
    failures.push("the generator was busy all the time; the server could do more");
  }
  return failures;
}

function explanations(targets: readonly BenchTarget[]): readonly string[] {
  const lines = [
    "Closed loop: a connection asks again when it was answered, so that a server that stalls is asked less",
    "(coordinated omission); compare times under the same number of connections only.",
  ];
  if (targets.some(({ processes }) => processes.length > 0)) {
    lines.push(
      "CPU is user and system time of the server's processes, memory the most they had since they started.",
    );
  }
  if (targets.some(({ processes }) => processes.length === 0)) {
    lines.push("Without --pid nothing is known of a server's CPU and memory.");
  }
  return lines;
}
