/** NVMe's health log. Its words are few and the same for all makers. Pure. */
import { readCommonFacts } from "#disks/smart/common-facts.ts";
import { countAt, fieldAt, listAt, wordAt } from "#disks/smart/json-fields.ts";
import {
  maxSelfTests,
  maxSmartWordLength,
  nvmeWarnings,
  type SelfTestResult,
  type SmartFacts,
} from "#model/smart-facts.ts";

/** Undefined where there is no health log. */
export function readNvmeFacts(json: unknown, passed: boolean | undefined): SmartFacts | undefined {
  const log = fieldAt(json, "nvme_smart_health_information_log");
  const alarm = countAt(log, ["critical_warning"], 255);
  if (alarm === undefined) return undefined;
  const common = readCommonFacts(json);
  const spare = countAt(log, ["available_spare"], 255);
  const threshold = countAt(log, ["available_spare_threshold"], 255);
  // Emulated disks say 0 to both.
  const tellsSpare = (spare ?? 0) > 0 || (threshold ?? 0) > 0;
  return {
    protocol: "nvme",
    ...common,
    powerOnHours: common.powerOnHours ?? countAt(log, ["power_on_hours"]),
    passed: passed ?? alarm === 0,
    mediaErrors: countAt(log, ["media_errors"]),
    wearPercent: countAt(log, ["percentage_used"], 255),
    sparePercent: tellsSpare ? spare : undefined,
    spareThresholdPercent: tellsSpare ? threshold : undefined,
    warnings: nvmeWarnings.filter((_, bit) => (alarm & (1 << bit)) !== 0),
    attributes: [],
    selfTestRemainingPercent: remainingOf(json),
    selfTests: selfTestsOf(json),
  };
}

function remainingOf(json: unknown): number | undefined {
  const log = fieldAt(json, "nvme_self_test_log");
  const running = countAt(log, ["current_self_test_operation", "value"], 15);
  if (running === undefined || running === 0) return undefined;
  const done = countAt(log, ["current_self_test_completion_percent"], 100);
  return 100 - (done ?? 0);
}

function selfTestsOf(json: unknown): readonly SelfTestResult[] {
  return listAt(json, ["nvme_self_test_log", "table"], maxSelfTests).map((each) => {
    const kind = countAt(each, ["self_test_code", "value"], 15);
    const result = countAt(each, ["self_test_result", "value"], 15);
    return {
      kind: kind === 1 ? "short" : kind === 2 ? "long" : "other",
      result: result === undefined ? "unknown" : nvmeResult(result),
      words: wordAt(each, ["self_test_result", "string"], maxSmartWordLength) ?? "",
      atHours: countAt(each, ["power_on_hours"]),
      failedBlock: countAt(each, ["lba"]),
    };
  });
}

/** 1 to 4, 8 and 9 were aborted by somebody, 5 to 7 failed. */
function nvmeResult(code: number): SelfTestResult["result"] {
  if (code === 0) return "passed";
  if (code >= 5 && code <= 7) return "failed";
  return code <= 9 ? "aborted" : "unknown";
}
