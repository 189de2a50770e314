/** A benchmark as one JSON value, for programs and for later: its settings, the machine, the targets and every round. Pure. */
import type { StepResult } from "#cli/bench/bench-result.ts";
import type { BenchSettings } from "#cli/bench/bench-run.ts";
import { stepName } from "#cli/bench/bench-step.ts";
import type { BenchTarget } from "#cli/bench/bench-target.ts";
import type { MachineFacts } from "#cli/bench/machine-facts.ts";
import { formatEndpoint } from "#model/endpoint.ts";

export interface ReportFacts {
  readonly version: string;
  /** Unix milliseconds. */
  readonly startedMs: number;
  readonly interrupted: boolean;
  readonly machine: MachineFacts;
  readonly settings: BenchSettings;
  readonly targets: readonly BenchTarget[];
  readonly results: readonly StepResult[];
}

/** Grows by fields that readers may ignore; a change that they cannot is a new number. */
const format = 1;

export function benchReport(facts: ReportFacts): unknown {
  const { settings, targets, results, startedMs, version, interrupted, machine } = facts;
  const { steps, ...others } = settings;
  const byName = new Map(targets.map((target) => [target.name, target]));
  return {
    format,
    cairn: version,
    startedAt: new Date(startedMs).toISOString(),
    interrupted,
    loop: "closed",
    machine,
    settings: { ...others, steps: steps.map(stepName) },
    targets: targets.map((target) => ({
      ...target,
      trackers: target.trackers.map(formatEndpoint),
      storages: target.storages.map(formatEndpoint),
    })),
    steps: results.map(({ step, targets: found }) => ({
      name: stepName(step),
      ...step,
      targets: found.map((one) => {
        const { durability = "unknown", fileSystem = "unknown" } = byName.get(one.target) ?? {};
        return { ...one, durability, fileSystem };
      }),
    })),
  };
}
