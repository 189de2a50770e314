/**
 * What counts against a disk: one rule a sentence, as data. A rule says why in words with numbers, or nothing; rules of one topic are
 * grades of the same thing, and only the worst that holds is told. Limits follow what is known of large fleets: a disk with any
 * of the five attributes above zero fails several times as often as one without, and most by far serve on for long. Pure.
 */
import * as advice from "#disks/health/advice.ts";
import type { GrowingCount, HealthFacts } from "#disks/health/health-facts.ts";
import type { DiskFinding } from "#model/disk-verdict.ts";

export interface Rule {
  readonly code: string;
  readonly topic: string;
  readonly grade: DiskFinding["grade"];
  /** The reason, where it holds. `held`: it did at the last look, so that it takes a little more to end it. */
  readonly reason: (facts: HealthFacts, held: boolean) => string | undefined;
  readonly advice: string;
}

/** Warmer shortens the life of a disk; makers allow 60 for disks that turn, and 70 to 85 for others. */
const warm = { turning: 55, still: 70 } as const;
/** So much cooler it must be to be well again. */
const coolDownCelsius = 5;

const some = (count: number, one: string, more: string): string =>
  count === 1 ? `1 ${one}` : `${count} ${more}`;

/** `count` of the disk's own, at least `least`. */
function counted(
  name: GrowingCount,
  least: number,
  words: (count: number) => string,
): Rule["reason"] {
  return ({ smart }) => {
    const count = smart?.[name];
    return count !== undefined && count >= least ? words(count) : undefined;
  };
}

/** The same, by its growth in a week. */
function grown(name: GrowingCount, least: number, what: string): Rule["reason"] {
  return ({ growth, smart }) => {
    const by = growth[name];
    if (by === undefined || by < least) return undefined;
    return `${what} grew by ${by} within a week, to ${smart?.[name] ?? by}`;
  };
}

const servingRules: readonly Rule[] = [
  {
    code: "no-capacity",
    topic: "capacity",
    grade: "failed",
    reason: ({ sizeBytes }) =>
      sizeBytes === 0 ? "The disk answers, but says that it holds 0 bytes" : undefined,
    advice: advice.replaceNow,
  },
  {
    code: "not-served",
    topic: "serving",
    grade: "failed",
    reason: ({ faults }) =>
      faults.unservedSeconds >= 600
        ? `The disk has not served its files for ${Math.floor(faults.unservedSeconds / 60)} minutes`
        : undefined,
    advice: advice.checkThenReplace,
  },
  {
    code: "often-quarantined",
    topic: "serving",
    grade: "failing",
    reason: ({ faults }) =>
      faults.quarantines >= 3
        ? `The disk stopped answering, or lost what it had been given, ${faults.quarantines} times within a day`
        : undefined,
    advice: advice.replaceSoon,
  },
  {
    code: "quarantined",
    topic: "serving",
    grade: "watch",
    reason: ({ faults }) =>
      faults.quarantines > 0
        ? `The disk stopped answering, or lost what it had been given, ${some(faults.quarantines, "time", "times")} within a day`
        : undefined,
    advice: advice.checkCable,
  },
  {
    code: "io-errors-many",
    topic: "io-errors",
    grade: "failing",
    reason: ({ faults }) =>
      ioErrors(faults) >= 20
        ? `${ioErrors(faults)} reads or writes failed within a day`
        : undefined,
    advice: advice.replaceSoon,
  },
  {
    code: "io-errors",
    topic: "io-errors",
    grade: "watch",
    reason: ({ faults }) =>
      ioErrors(faults) > 0
        ? `${some(ioErrors(faults), "read or write", "reads or writes")} failed within a day`
        : undefined,
    advice: advice.scrubAndWatch,
  },
  {
    code: "blank-unreadable",
    topic: "blank-unreadable",
    grade: "failing",
    reason: ({ faults, sizeBytes }) =>
      faults.unreadableAtBytes === undefined
        ? undefined
        : `The disk does not give what is at byte ${faults.unreadableAtBytes} of ${sizeBytes}, as reading it showed before it was given to this node`,
    advice: advice.doNotGive,
  },
  {
    code: "files-unreadable-many",
    topic: "scrub-unreadable",
    grade: "failing",
    reason: ({ faults }) =>
      faults.unreadableFiles >= 10
        ? `The disk does not give ${faults.unreadableFiles} files any more, as a scrub found within a day`
        : undefined,
    advice: advice.replaceSoon,
  },
  {
    code: "files-unreadable",
    topic: "scrub-unreadable",
    grade: "watch",
    reason: ({ faults }) =>
      faults.unreadableFiles > 0
        ? `The disk does not give ${some(faults.unreadableFiles, "file", "files")} any more, as a scrub found within a day`
        : undefined,
    advice: advice.healedAndWatch,
  },
  {
    code: "files-rotten-many",
    topic: "scrub-rotten",
    grade: "failing",
    reason: ({ faults }) =>
      faults.rottenFiles >= 20
        ? `${faults.rottenFiles} files have another content than they were stored with, as a scrub found within a day`
        : undefined,
    advice: advice.findTheFault,
  },
  {
    code: "files-rotten",
    topic: "scrub-rotten",
    grade: "watch",
    reason: ({ faults }) =>
      faults.rottenFiles > 0
        ? `${some(faults.rottenFiles, "file has", "files have")} another content than ${faults.rottenFiles === 1 ? "it was" : "they were"} stored with, as a scrub found within a day`
        : undefined,
    advice: advice.healedAndWatch,
  },
  {
    code: "files-unsteady",
    topic: "scrub-unsteady",
    grade: "watch",
    reason: ({ faults }) =>
      faults.unsteadyFiles > 0
        ? `${some(faults.unsteadyFiles, "file was", "files were")} read wrong, and right when read again`
        : undefined,
    advice: advice.findTheFault,
  },
  {
    code: "turned-read-only",
    topic: "file-system",
    grade: "failing",
    reason: ({ faults }) =>
      faults.turnedReadOnly === undefined
        ? undefined
        : `The kernel has made the file system at ${faults.turnedReadOnly} read-only, which it does after errors`,
    advice: advice.readOnly,
  },
  {
    code: "file-system-errors",
    topic: "file-system",
    grade: "watch",
    reason: ({ faults }) =>
      faults.fileSystemError === undefined
        ? undefined
        : `The kernel found the file system damaged: ${faults.fileSystemError}`,
    advice: advice.scrubAndWatch,
  },
  {
    code: "slow-answers",
    topic: "speed",
    grade: "watch",
    reason: ({ faults }) =>
      faults.abandoned > 0
        ? `${some(faults.abandoned, "request was", "requests were")} given up within a day, because the disk took too long`
        : undefined,
    advice: advice.checkCable,
  },
  {
    code: "slower-than-usual",
    topic: "speed",
    grade: "watch",
    reason: ({ latency }, held) => {
      if (latency === undefined) return undefined;
      const { p99Ms, usualP99Ms } = latency;
      const factor = held ? 4 : 8;
      if (p99Ms < 250 || p99Ms < factor * Math.max(usualP99Ms, 1)) return undefined;
      return `One of a hundred requests takes longer than ${Math.round(p99Ms)} ms, where ${Math.round(usualP99Ms)} ms is usual on this disk`;
    },
    advice: advice.watchSpeed,
  },
  {
    code: "link-resets",
    topic: "link",
    grade: "watch",
    reason: ({ faults }) =>
      faults.resets >= 3
        ? `The connection to the disk was reset ${faults.resets} times within a day`
        : undefined,
    advice: advice.checkCable,
  },
];

function ioErrors({ ioErrors: counted, failedRequests }: HealthFacts["faults"]): number {
  return Math.max(counted, failedRequests);
}

const smartRules: readonly Rule[] = [
  {
    code: "smart-failed",
    topic: "own-judgement",
    grade: "failing",
    reason: ({ smart }) =>
      smart?.passed === false && smart.warnings.length === 0
        ? "The disk itself expects to fail soon (SMART)"
        : undefined,
    advice: advice.replaceSoon,
  },
  {
    code: "attribute-failing",
    topic: "attributes",
    grade: "failing",
    reason: ({ smart }) => {
      const failing = (smart?.attributes ?? []).filter((each) => {
        return each.failed === "now" && each.prefailure;
      });
      if (failing.length === 0) return undefined;
      const names = failing.map(({ name }) => name.replaceAll("_", " ")).slice(0, 5);
      return `What its maker set as the limit is reached: ${names.join(", ")}`;
    },
    advice: advice.replaceSoon,
  },
  {
    code: "reallocated-many",
    topic: "reallocated",
    grade: "failing",
    reason: counted("reallocated", 100, (n) => `${n} sectors were replaced by spare ones`),
    advice: advice.replaceSoon,
  },
  {
    code: "reallocated-growing",
    topic: "reallocated",
    grade: "failing",
    reason: grown("reallocated", 10, "The number of sectors that were replaced by spare ones"),
    advice: advice.replaceSoon,
  },
  {
    code: "reallocated",
    topic: "reallocated",
    grade: "watch",
    reason: counted("reallocated", 1, (n) =>
      n === 1 ? "1 sector was replaced by a spare one" : `${n} sectors were replaced by spare ones`,
    ),
    advice: advice.watchCount,
  },
  {
    code: "pending-many",
    topic: "pending",
    grade: "failing",
    reason: counted("pending", 10, (n) => `${n} sectors cannot be read at present`),
    advice: advice.replaceSoon,
  },
  {
    code: "pending",
    topic: "pending",
    grade: "watch",
    reason: counted(
      "pending",
      1,
      (n) => `${some(n, "sector", "sectors")} cannot be read at present`,
    ),
    advice: advice.scrubAndWatch,
  },
  {
    code: "offline-uncorrectable-many",
    topic: "offline-uncorrectable",
    grade: "failing",
    reason: counted(
      "offlineUncorrectable",
      10,
      (n) => `The disk found ${n} sectors that it cannot read, when it looked through itself`,
    ),
    advice: advice.replaceSoon,
  },
  {
    code: "offline-uncorrectable",
    topic: "offline-uncorrectable",
    grade: "watch",
    reason: counted(
      "offlineUncorrectable",
      1,
      (n) =>
        `The disk found ${some(n, "sector", "sectors")} that it cannot read, when it looked through itself`,
    ),
    advice: advice.scrubAndWatch,
  },
  {
    code: "uncorrectable-growing",
    topic: "uncorrectable",
    grade: "failing",
    reason: grown("uncorrectable", 10, "The number of errors that the disk could not correct"),
    advice: advice.replaceSoon,
  },
  {
    code: "uncorrectable",
    topic: "uncorrectable",
    grade: "watch",
    reason: counted(
      "uncorrectable",
      1,
      (n) => `The disk could not correct ${some(n, "error", "errors")} so far`,
    ),
    advice: advice.watchCount,
  },
  {
    code: "timeouts-growing",
    topic: "timeouts",
    grade: "watch",
    reason: grown("timeouts", 5, "The number of commands that took the disk too long"),
    advice: advice.checkCable,
  },
  {
    code: "transfer-errors-growing",
    topic: "transfer",
    grade: "watch",
    reason: grown("transferErrors", 5, "The number of broken transfers between disk and box"),
    advice: advice.checkCable,
  },
  {
    code: "media-errors-growing",
    topic: "media",
    grade: "failing",
    reason: grown("mediaErrors", 10, "The number of errors on the medium"),
    advice: advice.replaceSoon,
  },
  {
    code: "media-errors",
    topic: "media",
    grade: "watch",
    reason: counted(
      "mediaErrors",
      1,
      (n) => `The disk counted ${some(n, "error", "errors")} on its medium so far`,
    ),
    advice: advice.scrubAndWatch,
  },
  {
    code: "self-test-failed",
    topic: "self-test",
    grade: "failing",
    reason: ({ smart }) => {
      // A later one of either kind that passed does not undo it: only one that looks at as much.
      const last = smart?.selfTests.find(
        ({ result }) => result === "passed" || result === "failed",
      );
      const long = smart?.selfTests.find(
        ({ kind, result }) => kind === "long" && (result === "passed" || result === "failed"),
      );
      const failed = [last, long].find((each) => each?.result === "failed");
      if (failed === undefined) return undefined;
      const at = failed.atHours === undefined ? "" : ` at ${failed.atHours} hours of its life`;
      return `Its last self-test${at} found a fault: ${failed.words || "no details"}`;
    },
    advice: advice.replaceSoon,
  },
];

const agingRules: readonly Rule[] = [
  {
    code: "made-itself-read-only",
    topic: "nvme-read-only",
    grade: "failed",
    reason: warned("read-only", "The disk has made itself read-only"),
    advice: advice.replaceNow,
  },
  {
    code: "unreliable",
    topic: "own-judgement",
    grade: "failing",
    reason: warned("unreliable", "The disk says that errors have made it unreliable"),
    advice: advice.replaceSoon,
  },
  {
    code: "backup-failed",
    topic: "nvme-backup",
    grade: "failing",
    reason: warned(
      "backup-failed",
      "The disk says that its protection against power cuts has failed",
    ),
    advice: advice.replaceSoon,
  },
  {
    code: "memory-region",
    topic: "nvme-backup",
    grade: "failing",
    reason: warned("memory-region", "The disk says that its persistent memory cannot be relied on"),
    advice: advice.replaceSoon,
  },
  {
    code: "spare-low",
    topic: "spare",
    grade: "failing",
    reason: ({ smart }) => {
      const { sparePercent, spareThresholdPercent = 0 } = smart ?? {};
      const low = sparePercent !== undefined && sparePercent < spareThresholdPercent;
      if (low)
        return `Only ${sparePercent} % of its spare blocks are left, of which it wants ${spareThresholdPercent} %`;
      return smart?.warnings.includes("spare-low") ? "Its spare blocks are used up" : undefined;
    },
    advice: advice.replaceSoon,
  },
  {
    code: "worn-out",
    topic: "wear",
    grade: "failing",
    reason: ({ smart }) =>
      (smart?.wearPercent ?? 0) >= 100
        ? `All of the writing that its maker promised is used up (${smart?.wearPercent} %)`
        : undefined,
    advice: advice.wornOut,
  },
  {
    code: "worn",
    topic: "wear",
    grade: "watch",
    reason: ({ smart }) =>
      (smart?.wearPercent ?? 0) >= 90
        ? `${smart?.wearPercent} % of the writing that its maker promised is used up`
        : undefined,
    advice: advice.planReplacement,
  },
  {
    code: "hot",
    topic: "temperature",
    grade: "watch",
    reason: ({ smart, rotational }, held) => {
      const celsius = smart?.temperatureCelsius;
      if (celsius === undefined) return undefined;
      const limit = rotational === false || smart?.protocol === "nvme" ? warm.still : warm.turning;
      const hot = celsius >= limit - (held ? coolDownCelsius : 0);
      const says = smart?.warnings.includes("temperature") === true;
      return hot || says ? `It is ${celsius} °C warm` : undefined;
    },
    advice: advice.cool,
  },
];

function warned(
  warning: NonNullable<HealthFacts["smart"]>["warnings"][number],
  words: string,
): Rule["reason"] {
  return ({ smart }) => (smart?.warnings.includes(warning) ? words : undefined);
}

/** In the order in which they are told where grades are equal. */
export const rules: readonly Rule[] = [...servingRules, ...smartRules, ...agingRules];
