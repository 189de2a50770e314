/** One disk as its health is watched, from the moment it came to the moment it went: what was told, what was seen, and what follows. Main thread. */

import { FaultLog } from "#disks/health/fault-log.ts";
import { type HealthFacts, type LatencyFacts, noFaults } from "#disks/health/health-facts.ts";
import {
  freshRecord,
  type HealthMemory,
  type HealthRecord,
  healthKey,
} from "#disks/health/health-table.ts";
import { PathFaults } from "#disks/health/path-faults.ts";
import { addSample, growthOf, sampleOf } from "#disks/health/trend.ts";
import { judge } from "#disks/health/verdict.ts";
import type { SmartReading } from "#disks/smart/read-smartctl.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import type { DiskJudgement } from "#model/disk-verdict.ts";

/** What the kernel said of a damaged file system is told for so long. */
const toldSeconds = 24 * 3600;
/** Otherwise nothing is written where nothing changed. */
const seenPeriodSeconds = 6 * 3600;

export interface JudgedBy {
  readonly nowSeconds: number;
  readonly nowMs: number;
  readonly turnedReadOnly: string | undefined;
  readonly latency: LatencyFacts | undefined;
  readonly unreadableAtBytes: number | undefined;
}

export class WatchedDisk {
  facts: DiskFacts;
  readonly faults = new FaultLog();
  readonly paths = new PathFaults();
  /** Why it does not tell of its health, in words; undefined where it does, or sleeps. */
  smartProblem: string | undefined;
  /** When it was asked last, and whether it slept then. */
  askedMs: number | undefined;
  /** Something was asked of it since it told of its health last, so that there may be news. */
  wasUsed = true;
  /** A self-test that we began, and whose end was not seen yet. */
  testing: { readonly kind: "short" | "long"; readonly sinceMs: number } | undefined;
  #record: HealthRecord;
  #key: string | undefined;
  #fileSystemError: { readonly words: string; readonly at: number } | undefined;
  readonly #memory: HealthMemory;

  constructor(facts: DiskFacts, memory: HealthMemory, nowSeconds: number) {
    this.facts = facts;
    this.#memory = memory;
    this.#key = healthKey(facts, undefined);
    const known = this.#key === undefined ? undefined : memory.read(this.#key);
    this.#record = known ?? freshRecord(nowSeconds);
  }

  get name(): string {
    return this.facts.name;
  }

  get record(): HealthRecord {
    return this.#record;
  }

  get judgement(): DiskJudgement {
    return this.#record.judgement;
  }

  /** It answered, slept, or refused. */
  learn(reading: SmartReading, at: { readonly ms: number; readonly seconds: number }): void {
    this.askedMs = at.ms;
    if (reading.state === "asleep") return;
    if (reading.state === "refused") {
      this.smartProblem = reading.why;
      return;
    }
    const { facts } = reading;
    this.smartProblem = undefined;
    this.wasUsed = false;
    if (this.testing !== undefined && facts.selfTestRemainingPercent === undefined) {
      this.testing = undefined;
    }
    this.#recognize(facts);
    const samples = addSample(this.#record.samples, sampleOf(facts, at.seconds));
    this.#update({ smart: { at: at.seconds, facts }, samples, seenAt: at.seconds });
  }

  /** What the kernel found wrong with a file system of it. */
  noteFileSystem(words: string, atSeconds: number): void {
    this.#fileSystemError = { words, at: atSeconds };
  }

  /** What was noted so far was about another disk, or is over since it was plugged anew. */
  forgetFaults(): void {
    this.faults.clear();
    this.#fileSystemError = undefined;
  }

  noteSelfTest(
    kind: "short" | "long",
    at: { readonly ms: number; readonly seconds: number },
  ): void {
    this.testing = { kind, sinceMs: at.ms };
    this.#update(kind === "short" ? { shortTestAt: at.seconds } : { longTestAt: at.seconds });
  }

  /** Returns the judgement before. */
  judge(by: JudgedBy): DiskJudgement {
    const before = this.judgement;
    const judgement = judge(before, this.#health(by), by.nowSeconds);
    const changed =
      judgement.verdict !== before.verdict ||
      codesOf(judgement) !== codesOf(before) ||
      Math.abs(by.nowSeconds - this.#record.seenAt) >= seenPeriodSeconds;
    if (changed) this.#update({ judgement, seenAt: by.nowSeconds });
    else this.#record = { ...this.#record, judgement };
    return before;
  }

  #health(by: JudgedBy): HealthFacts {
    const { nowSeconds, nowMs, turnedReadOnly, latency, unreadableAtBytes } = by;
    const { smart, samples } = this.#record;
    const told = this.#fileSystemError;
    const isNews = told !== undefined && nowSeconds - told.at < toldSeconds;
    return {
      rotational: this.facts.rotational,
      sizeBytes: this.facts.sizeBytes,
      smart: smart?.facts,
      growth: smart === undefined ? {} : growthOf(samples, sampleOf(smart.facts, nowSeconds)),
      faults: {
        ...noFaults,
        ...this.faults.counts(nowSeconds),
        turnedReadOnly,
        fileSystemError: isNews ? told.words : undefined,
        unservedSeconds: this.paths.unservedSeconds(nowMs),
        unreadableAtBytes,
      },
      latency,
    };
  }

  /** Behind a bridge that hides it the serial is known only now. */
  #recognize(smart: Parameters<typeof healthKey>[1]): void {
    if (this.#key !== undefined) return;
    this.#key = healthKey(this.facts, smart);
    const known = this.#key === undefined ? undefined : this.#memory.read(this.#key);
    if (known !== undefined) this.#record = known;
  }

  #update(change: Partial<HealthRecord>): void {
    this.#record = { ...this.#record, ...change };
    if (this.#key !== undefined) this.#memory.write(this.#key, this.#record);
  }
}

function codesOf({ findings }: DiskJudgement): string {
  return findings.map(({ code }) => code).join(" ");
}
