/**
 * The attributes of SATA disks. Their raw values are 48 bits with several counts in them, as each maker likes: what smartctl writes for
 * people begins with the count that matters, and of timeouts the lowest 16 bits are the sum. Pure.
 */
import { readCommonFacts } from "#disks/smart/common-facts.ts";
import { countAt, fieldAt, flagAt, listAt, wordAt } from "#disks/smart/json-fields.ts";
import {
  maxSelfTests,
  maxSmartAttributes,
  maxSmartWordLength,
  type SelfTestResult,
  type SmartAttribute,
  type SmartFacts,
} from "#model/smart-facts.ts";

/** Names, as smartctl's table of disks has them, of attributes whose normalized value is what is left of 100. */
const lifeLeft =
  /^(?:Percent_Life(?:time)?_Remain(?:ing)?|Remaining_Lifetime_Perc|SSD_Life_Left|Media_Wearout_Indicator|Wear_Leveling_Count|Drive_Life_Remaining%?|Lifetime_Left)$/;

interface Row {
  readonly attribute: SmartAttribute;
  readonly rawValue: number | undefined;
}

/** Undefined where it told neither a judgement nor attributes. */
export function readAtaFacts(json: unknown, passed: boolean | undefined): SmartFacts | undefined {
  const rows = listAt(json, ["ata_smart_attributes", "table"], maxSmartAttributes)
    .map(readRow)
    .filter((row) => row !== undefined);
  if (passed === undefined && rows.length === 0) return undefined;
  const count = (id: number): number | undefined => countOf(rows, id);
  return {
    protocol: "ata",
    ...readCommonFacts(json),
    passed,
    reallocated: count(5),
    uncorrectable: count(187),
    timeouts: count(188),
    pending: count(197),
    offlineUncorrectable: count(198),
    transferErrors: count(199),
    wearPercent: wearOf(json, rows),
    warnings: [],
    attributes: rows.map(({ attribute }) => attribute),
    selfTestRemainingPercent: remainingOf(json),
    selfTests: selfTestsOf(json),
  };
}

function readRow(value: unknown): Row | undefined {
  const id = countAt(value, ["id"], 255);
  if (id === undefined) return undefined;
  const rawValue = countAt(value, ["raw", "value"]);
  const raw = wordAt(value, ["raw", "string"], maxSmartWordLength) ?? String(rawValue ?? "");
  const failed = wordAt(value, ["when_failed"], 10)?.toLowerCase();
  const attribute: SmartAttribute = {
    id,
    name: wordAt(value, ["name"], maxSmartWordLength) ?? "Unknown_Attribute",
    value: countAt(value, ["value"], 255),
    worst: countAt(value, ["worst"], 255),
    threshold: countAt(value, ["thresh"], 255),
    raw,
    failed: failed === "now" || failed === "past" ? failed : undefined,
    prefailure: flagAt(value, "flags", "prefailure") ?? false,
  };
  return { attribute, rawValue };
}

function countOf(rows: readonly Row[], id: number): number | undefined {
  const row = rows.find(({ attribute }) => attribute.id === id);
  if (row === undefined) return undefined;
  const { attribute, rawValue } = row;
  if (id === 188 && rawValue !== undefined) return rawValue % 65_536;
  const written = /^\d{1,15}(?=\s|$)/.exec(attribute.raw)?.[0];
  return written === undefined ? rawValue : Number(written);
}

function wearOf(json: unknown, rows: readonly Row[]): number | undefined {
  const told = countAt(json, ["endurance_used", "current_percent"], 255);
  if (told !== undefined) return told;
  const left = rows.find(({ attribute }) => lifeLeft.test(attribute.name))?.attribute.value;
  // A count of 0 or above 100 is one that the maker means otherwise.
  return left === undefined || left > 100 || left === 0 ? undefined : 100 - left;
}

function remainingOf(json: unknown): number | undefined {
  const status = fieldAt(json, "ata_smart_data", "self_test", "status");
  const value = countAt(status, ["value"], 255);
  if (value === undefined || value >> 4 !== 15) return undefined;
  return countAt(status, ["remaining_percent"], 100) ?? (value & 15) * 10;
}

function selfTestsOf(json: unknown): readonly SelfTestResult[] {
  const standard = listAt(json, ["ata_smart_self_test_log", "standard", "table"], maxSelfTests);
  const extended = listAt(json, ["ata_smart_self_test_log", "extended", "table"], maxSelfTests);
  return (extended.length > 0 ? extended : standard).map((each) => {
    const kind = countAt(each, ["type", "value"], 255);
    const status = countAt(each, ["status", "value"], 255);
    return {
      kind: kind === 1 || kind === 129 ? "short" : kind === 2 || kind === 130 ? "long" : "other",
      result: status === undefined ? "unknown" : ataResult(status >> 4),
      words: wordAt(each, ["status", "string"], maxSmartWordLength) ?? "",
      atHours: countAt(each, ["lifetime_hours"]),
      failedBlock: countAt(each, ["lba"]),
    };
  });
}

/** The upper half of the status byte: 3 and 4 are failures that nobody names, 5 electrical, 6 servo, 7 read, 8 handling. */
function ataResult(code: number): SelfTestResult["result"] {
  if (code === 0) return "passed";
  if (code === 1 || code === 2) return "aborted";
  if (code === 15) return "running";
  return code >= 3 && code <= 8 ? "failed" : "unknown";
}
