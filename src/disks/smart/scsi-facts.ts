/** SAS disks, and what a USB bridge answers for itself. Pure. */
import { readCommonFacts } from "#disks/smart/common-facts.ts";
import { countAt, fieldAt, wordAt } from "#disks/smart/json-fields.ts";
import {
  maxSelfTests,
  maxSmartWordLength,
  type SelfTestResult,
  type SmartFacts,
} from "#model/smart-facts.ts";

/** Undefined where it has nothing to say but that it exists. */
export function readScsiFacts(json: unknown, passed: boolean | undefined): SmartFacts | undefined {
  const common = readCommonFacts(json);
  const reallocated = countAt(json, ["scsi_grown_defect_list"]);
  const mediaErrors = uncorrectedOf(json);
  const nothing =
    common.temperatureCelsius === undefined &&
    common.powerOnHours === undefined &&
    reallocated === undefined &&
    mediaErrors === undefined &&
    passed !== false;
  if (nothing) return undefined;
  return {
    protocol: "scsi",
    ...common,
    passed,
    reallocated,
    mediaErrors,
    wearPercent: countAt(json, ["scsi_percentage_used_endurance_indicator"], 255),
    warnings: [],
    attributes: [],
    selfTests: selfTestsOf(json),
  };
}

function uncorrectedOf(json: unknown): number | undefined {
  let sum: number | undefined;
  for (const way of ["read", "write", "verify"]) {
    const count = countAt(json, ["scsi_error_counter_log", way, "total_uncorrected_errors"]);
    if (count !== undefined) sum = (sum ?? 0) + count;
  }
  return sum === undefined || !Number.isSafeInteger(sum) ? undefined : sum;
}

function selfTestsOf(json: unknown): readonly SelfTestResult[] {
  const found: SelfTestResult[] = [];
  for (let at = 0; at < maxSelfTests; at += 1) {
    const each = fieldAt(json, `scsi_self_test_${at}`);
    if (each === undefined) break;
    const code = countAt(each, ["code", "value"], 7);
    const result = countAt(each, ["result", "value"], 15);
    found.push({
      // In the background, or with the disk doing nothing else.
      kind: code === 1 || code === 5 ? "short" : code === 2 || code === 6 ? "long" : "other",
      result: result === undefined ? "unknown" : scsiResult(result),
      words: wordAt(each, ["result", "string"], maxSmartWordLength) ?? "",
      atHours: countAt(each, ["power_on_time", "hours"]),
      failedBlock: countAt(each, ["lba_first_failure"]),
    });
  }
  return found;
}

/** 1 and 2 were aborted, 3 to 7 failed. */
function scsiResult(code: number): SelfTestResult["result"] {
  if (code === 0) return "passed";
  if (code === 15) return "running";
  if (code >= 3 && code <= 7) return "failed";
  return code <= 2 ? "aborted" : "unknown";
}
