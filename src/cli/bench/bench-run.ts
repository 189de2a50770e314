/**
 * Runs the steps of a benchmark: each on one target after the other, round by round (A B A B), so that a machine whose speed
 * drifts treats them alike. It makes the files that a step needs, touches no others, and takes them away again: those of one
 * size before the next one begins.
 */

import { figuresOf, type Round, type StepResult, usageBetween } from "#cli/bench/bench-result.ts";
import { type BenchStep, stepName } from "#cli/bench/bench-step.ts";
import type { BenchTarget } from "#cli/bench/bench-target.ts";
import { FileWork } from "#cli/bench/file-work.ts";
import { usageOf } from "#cli/bench/process-usage.ts";
import type { LoadGenerator, LoadLimit } from "#client/load/load-generator.ts";
import { operationFacts } from "#client/load/load-operation.ts";
import { LoadTally } from "#client/load/load-tally.ts";
import type { Clock } from "#platform/clock.ts";
import type { LocalFiles } from "#platform/local-files.ts";
import type { Network } from "#platform/network.ts";

export interface BenchSettings {
  readonly steps: readonly BenchStep[];
  readonly rounds: number;
  /** Of each step and round, whichever comes first. */
  readonly durationMs: number | undefined;
  readonly count: number | undefined;
  readonly warmUpMs: number;
  readonly checksums: boolean;
  /** The files stay. */
  readonly keep: boolean;
  readonly maxStoredBytes: number;
  readonly timeoutMs: number;
}

export interface BenchWorld {
  readonly network: Network;
  readonly clock: Clock;
  readonly files: Pick<LocalFiles, "readText">;
  /** Ends the run; what was stored is taken away all the same. */
  readonly signal: AbortSignal;
  /** What happens, for who waits. */
  progress(text: string): void;
  warn(text: string): void;
}

interface Participant {
  readonly target: BenchTarget;
  readonly work: FileWork;
  /** Not measured any more. */
  lost: boolean;
}

export class BenchRun {
  readonly #settings: BenchSettings;
  readonly #world: BenchWorld;
  readonly #participants: readonly Participant[];

  constructor(targets: readonly BenchTarget[], settings: BenchSettings, world: BenchWorld) {
    this.#settings = settings;
    this.#world = world;
    const seed = Math.floor(world.clock.nowMs());
    this.#participants = targets.map((target) => ({
      target,
      work: new FileWork(target, { ...settings, ...world, seed }),
      lost: false,
    }));
  }

  /** Never rejects for a server's sake. Of an interrupted run the steps that have a figure. */
  async run(): Promise<readonly StepResult[]> {
    const { steps, keep } = this.#settings;
    const results: StepResult[] = [];
    try {
      for (const [at, step] of steps.entries()) {
        if (this.#world.signal.aborted) break;
        const result = await this.#step(step, at);
        if (result.targets.some(({ rounds }) => rounds.length > 0)) results.push(result);
        const later = steps.slice(at + 1).some(({ sizeBytes }) => sizeBytes === step.sizeBytes);
        if (!keep && !later) await this.#clean([step.sizeBytes]);
      }
    } finally {
      if (!keep) await this.#clean([...new Set(steps.map(({ sizeBytes }) => sizeBytes))]);
    }
    return results;
  }

  /** Whether a server was given up. */
  get lostOne(): boolean {
    return this.#participants.some(({ lost }) => lost);
  }

  async #step(step: BenchStep, at: number): Promise<StepResult> {
    const { rounds: count, steps } = this.#settings;
    const rounds = new Map<Participant, Round[]>(this.#participants.map((one) => [one, []]));
    for (let round = 0; round < count; round += 1) {
      for (const [participant, done] of rounds) {
        if (this.#world.signal.aborted || this.#reasonToSkip(participant, step) !== undefined) {
          continue;
        }
        const found = await this.#measure(participant, step, { at, round });
        if (this.#world.signal.aborted) continue;
        done.push(found);
        const { operationsPerSecond, failed } = figuresOf(step, [found]);
        const failures = failed === 0 ? "" : `, ${failed} failed`;
        this.#world.progress(
          `[${at + 1}/${steps.length}] ${stepName(step)}, round ${round + 1} of ${count}, ${participant.target.name}: ${Math.round(operationsPerSecond)} operations/s${failures}`,
        );
      }
    }
    const targets = [...rounds].map(([participant, done]) => ({
      target: participant.target.name,
      figures: done.length === 0 ? undefined : figuresOf(step, done),
      rounds: done.map((one) => figuresOf(step, [one])),
      skipped:
        done.length === 0 ? (this.#reasonToSkip(participant, step) ?? "interrupted") : undefined,
    }));
    return { step, targets };
  }

  #reasonToSkip({ lost, target }: Participant, step: BenchStep): string | undefined {
    if (lost) return "the server was given up";
    const { server } = operationFacts[step.operation];
    return server === "tracker" && target.trackers.length === 0 ? "no tracker is known" : undefined;
  }

  async #measure(
    participant: Participant,
    step: BenchStep,
    place: { readonly at: number; readonly round: number },
  ): Promise<Round> {
    const { target, work } = participant;
    const { signal } = this.#world;
    const most = await work.prepare(step, this.#remaining(step, place));
    const generator = work.generator(step);
    try {
      await generator.open();
      await this.#warmUp(generator, most);
      const { durationMs, count } = this.#settings;
      const limit: LoadLimit = {
        ...(durationMs === undefined ? {} : { durationMs }),
        ...countLimit(count, most === undefined ? undefined : most - warmUpCount(most)),
        signal,
      };
      const before = await this.#usage(target);
      const tally = signal.aborted ? new LoadTally() : await generator.run(limit);
      const after = await this.#usage(target);
      if (tally.endedBy === "lost") this.#giveUp(participant, tally);
      return {
        tally,
        serverCpuSeconds: usageBetween(before.servers, after.servers),
        serverPeakBytes: after.servers?.peakBytes,
        generatorCpuSeconds: usageBetween(before.generator, after.generator),
      };
    } finally {
      generator.close();
    }
  }

  /** Until caches are warm and code is compiled, unless that would use up the files. */
  async #warmUp(generator: LoadGenerator, mostFiles: number | undefined): Promise<void> {
    const { warmUpMs, count } = this.#settings;
    const { signal } = this.#world;
    if (warmUpMs === 0 || signal.aborted) return;
    const most = mostFiles ?? count;
    const limit = most === undefined ? {} : { count: warmUpCount(most) };
    await generator.run({ durationMs: warmUpMs, signal, ...limit });
  }

  async #usage(target: BenchTarget) {
    const { files } = this.#world;
    const [servers, generator] = await Promise.all([
      usageOf(files, target.processes),
      usageOf(files, ["self"]),
    ]);
    return { servers, generator };
  }

  /** How many measurements, this one included, want files of the step's size to delete. */
  #remaining(step: BenchStep, place: { readonly at: number; readonly round: number }): number {
    const { steps, rounds } = this.#settings;
    const later = steps
      .slice(place.at + 1)
      .filter((one) => one.operation === "delete" && one.sizeBytes === step.sizeBytes);
    return rounds - place.round + later.length * rounds;
  }

  #giveUp(participant: Participant, tally: LoadTally): void {
    participant.lost = true;
    const [why = "no connection"] = tally.failures.entries().map(([words]) => words);
    this.#world.warn(`${participant.target.name} is given up: ${why}`);
  }

  async #clean(sizes: readonly number[]): Promise<void> {
    for (const { work, target, lost } of this.#participants) {
      for (const size of sizes) {
        const left = await work.clean(size, lost);
        if (left === 0) continue;
        this.#world.warn(`${left} files that the benchmark stored are left on ${target.name}`);
      }
    }
  }
}

/** Of so many operations, the warm-up's. */
function warmUpCount(operations: number): number {
  return Math.floor(operations / 11);
}

/** As many operations as were asked for, and as there are files for. */
function countLimit(
  count: number | undefined,
  files: number | undefined,
): { readonly count?: number } {
  const limits = [count, files].filter((one) => one !== undefined);
  return limits.length === 0 ? {} : { count: Math.min(...limits) };
}
