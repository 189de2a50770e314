/** Each sentence that counts against a disk, and how judgements change. */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as advice from "#disks/health/advice.ts";
import { growingCounts, type HealthFacts } from "#disks/health/health-facts.ts";
import { rules } from "#disks/health/rules.ts";
import { freshJudgement, judge } from "#disks/health/verdict.ts";
import { type DiskJudgement, type DiskVerdict, isWorse } from "#model/disk-verdict.ts";
import { type HealthDiffers, healthOf, smartOf } from "../../../support/disk-health.ts";

const monday = 1_795_449_600;
const hour = 3600;
const day = 24 * hour;

function judged(differs: HealthDiffers, before = freshJudgement(monday), at = monday) {
  return judge(before, healthOf(differs), at);
}

const attribute = {
  id: 5,
  name: "Reallocated_Sector_Ct",
  value: 1,
  worst: 1,
  threshold: 10,
  raw: "3896",
  failed: "now",
  prefailure: true,
} as const;

const failedTest = { kind: "long", result: "failed", words: "Completed: read failure" } as const;

/** What is wrong, its code, the verdict that it alone leads to, and the sentence. */
const sentences: readonly (readonly [HealthDiffers, string, DiskVerdict, string])[] = [
  [
    { sizeBytes: 0 },
    ...(["no-capacity", "failed", "The disk answers, but says that it holds 0 bytes"] as const),
  ],
  [
    { faults: { unreadableAtBytes: 4096 }, sizeBytes: 8192 },
    ...([
      "blank-unreadable",
      "failing",
      "The disk does not give what is at byte 4096 of 8192, as reading it showed before it was given to this node",
    ] as const),
  ],
  [
    { faults: { unservedSeconds: 605 } },
    ...(["not-served", "failed", "The disk has not served its files for 10 minutes"] as const),
  ],
  [
    { faults: { quarantines: 3 } },
    "often-quarantined",
    "failing",
    "The disk stopped answering, or lost what it had been given, 3 times within a day",
  ],
  [
    { faults: { quarantines: 1 } },
    "quarantined",
    "watch",
    "The disk stopped answering, or lost what it had been given, 1 time within a day",
  ],
  [
    { faults: { unreadableFiles: 10 } },
    "files-unreadable-many",
    "failing",
    "The disk does not give 10 files any more, as a scrub found within a day",
  ],
  [
    { faults: { unreadableFiles: 1 } },
    "files-unreadable",
    "watch",
    "The disk does not give 1 file any more, as a scrub found within a day",
  ],
  [
    { faults: { rottenFiles: 20 } },
    "files-rotten-many",
    "failing",
    "20 files have another content than they were stored with, as a scrub found within a day",
  ],
  [
    { faults: { rottenFiles: 1 } },
    "files-rotten",
    "watch",
    "1 file has another content than it was stored with, as a scrub found within a day",
  ],
  [
    { faults: { unsteadyFiles: 2 } },
    ...(["files-unsteady", "watch", "2 files were read wrong, and right when read again"] as const),
  ],
  [
    { faults: { ioErrors: 20 } },
    ...(["io-errors-many", "failing", "20 reads or writes failed within a day"] as const),
  ],
  [
    { faults: { ioErrors: 1 } },
    ...(["io-errors", "watch", "1 read or write failed within a day"] as const),
  ],
  [
    { faults: { failedRequests: 2 } },
    ...(["io-errors", "watch", "2 reads or writes failed within a day"] as const),
  ],
  [
    { faults: { turnedReadOnly: "/srv/disks/a" } },
    "turned-read-only",
    "failing",
    "The kernel has made the file system at /srv/disks/a read-only, which it does after errors",
  ],
  [
    { faults: { fileSystemError: "EXT4-fs error (device sda1)" } },
    "file-system-errors",
    "watch",
    "The kernel found the file system damaged: EXT4-fs error (device sda1)",
  ],
  [
    { faults: { abandoned: 1 } },
    "slow-answers",
    "watch",
    "1 request was given up within a day, because the disk took too long",
  ],
  [
    { latency: { p99Ms: 900, usualP99Ms: 20 } },
    "slower-than-usual",
    "watch",
    "One of a hundred requests takes longer than 900 ms, where 20 ms is usual on this disk",
  ],
  [
    { faults: { resets: 3 } },
    ...([
      "link-resets",
      "watch",
      "The connection to the disk was reset 3 times within a day",
    ] as const),
  ],
  [
    { smart: { passed: false } },
    ...(["smart-failed", "failing", "The disk itself expects to fail soon (SMART)"] as const),
  ],
  [
    { smart: { attributes: [attribute] } },
    "attribute-failing",
    "failing",
    "What its maker set as the limit is reached: Reallocated Sector Ct",
  ],
  [
    { smart: { reallocated: 100 } },
    ...(["reallocated-many", "failing", "100 sectors were replaced by spare ones"] as const),
  ],
  [
    { smart: { reallocated: 30 }, growth: { reallocated: 10 } },
    "reallocated-growing",
    "failing",
    "The number of sectors that were replaced by spare ones grew by 10 within a week, to 30",
  ],
  [
    { smart: { reallocated: 1 } },
    ...(["reallocated", "watch", "1 sector was replaced by a spare one"] as const),
  ],
  [
    { smart: { pending: 10 } },
    ...(["pending-many", "failing", "10 sectors cannot be read at present"] as const),
  ],
  [
    { smart: { pending: 1 } },
    ...(["pending", "watch", "1 sector cannot be read at present"] as const),
  ],
  [
    { smart: { offlineUncorrectable: 10 } },
    "offline-uncorrectable-many",
    "failing",
    "The disk found 10 sectors that it cannot read, when it looked through itself",
  ],
  [
    { smart: { offlineUncorrectable: 1 } },
    "offline-uncorrectable",
    "watch",
    "The disk found 1 sector that it cannot read, when it looked through itself",
  ],
  [
    { smart: { uncorrectable: 12 }, growth: { uncorrectable: 10 } },
    "uncorrectable-growing",
    "failing",
    "The number of errors that the disk could not correct grew by 10 within a week, to 12",
  ],
  [
    { smart: { uncorrectable: 1 } },
    ...(["uncorrectable", "watch", "The disk could not correct 1 error so far"] as const),
  ],
  [
    { smart: { timeouts: 7 }, growth: { timeouts: 5 } },
    "timeouts-growing",
    "watch",
    "The number of commands that took the disk too long grew by 5 within a week, to 7",
  ],
  [
    { smart: { transferErrors: 9 }, growth: { transferErrors: 5 } },
    "transfer-errors-growing",
    "watch",
    "The number of broken transfers between disk and box grew by 5 within a week, to 9",
  ],
  [
    { smart: { mediaErrors: 17 }, growth: { mediaErrors: 10 } },
    "media-errors-growing",
    "failing",
    "The number of errors on the medium grew by 10 within a week, to 17",
  ],
  [
    { smart: { mediaErrors: 1 } },
    ...(["media-errors", "watch", "The disk counted 1 error on its medium so far"] as const),
  ],
  [
    { smart: { selfTests: [{ ...failedTest, atHours: 34_310 }] } },
    "self-test-failed",
    "failing",
    "Its last self-test at 34310 hours of its life found a fault: Completed: read failure",
  ],
  [
    { smart: { warnings: ["read-only"], passed: false } },
    ...(["made-itself-read-only", "failed", "The disk has made itself read-only"] as const),
  ],
  [
    { smart: { warnings: ["unreliable"], passed: false } },
    ...(["unreliable", "failing", "The disk says that errors have made it unreliable"] as const),
  ],
  [
    { smart: { warnings: ["backup-failed"], passed: false } },
    "backup-failed",
    "failing",
    "The disk says that its protection against power cuts has failed",
  ],
  [
    { smart: { warnings: ["memory-region"], passed: false } },
    "memory-region",
    "failing",
    "The disk says that its persistent memory cannot be relied on",
  ],
  [
    { smart: { sparePercent: 4, spareThresholdPercent: 10 } },
    "spare-low",
    "failing",
    "Only 4 % of its spare blocks are left, of which it wants 10 %",
  ],
  [
    { smart: { warnings: ["spare-low"], passed: false } },
    ...(["spare-low", "failing", "Its spare blocks are used up"] as const),
  ],
  [
    { smart: { wearPercent: 100 } },
    "worn-out",
    "failing",
    "All of the writing that its maker promised is used up (100 %)",
  ],
  [
    { smart: { wearPercent: 90 } },
    ...(["worn", "watch", "90 % of the writing that its maker promised is used up"] as const),
  ],
  [{ smart: { temperatureCelsius: 55 } }, "hot", "watch", "It is 55 °C warm"],
  [
    { smart: { temperatureCelsius: 70, protocol: "nvme" }, rotational: false },
    ...(["hot", "watch", "It is 70 °C warm"] as const),
  ],
];

test.each(
  sentences.map(([differs, code, verdict, reason]) => ({ differs, code, verdict, reason })),
)("$differs is $code", ({ differs, code, verdict, reason }) => {
  const { findings, verdict: led } = judged(differs);
  expect(findings.map((each) => [each.code, each.reason])).toEqual([[code, reason]]);
  expect(led).toBe(verdict);
});

test("each rule has its sentence here", () => {
  const covered = new Set(sentences.map(([, code]) => code));
  expect(rules.map(({ code }) => code).filter((code) => !covered.has(code))).toEqual([]);
  expect(rules).toHaveLength(new Set(rules.map(({ code }) => code)).size);
});

test("each advice is used, and a whole sentence", () => {
  const texts = Object.values(advice);
  const used = new Set(rules.map((rule) => rule.advice));
  expect(texts.filter((text) => !used.has(text) || !/^[A-Z].*\.$/.test(text))).toEqual([]);
});

/** Nothing of these is worth a word. */
const harmless: readonly HealthDiffers[] = [
  {},
  { smart: { timeouts: 3, transferErrors: 40 } },
  { smart: { temperatureCelsius: 54 } },
  { smart: { temperatureCelsius: 60, protocol: "nvme" }, rotational: false },
  { smart: { wearPercent: 89, sparePercent: 100, spareThresholdPercent: 10 } },
  { smart: { attributes: [{ ...attribute, failed: "past" }] } },
  { smart: { attributes: [{ ...attribute, prefailure: false }] } },
  { smart: { selfTests: [{ ...failedTest, result: "aborted" }] } },
  { faults: { resets: 2, unservedSeconds: 599 } },
  { latency: { p99Ms: 200, usualP99Ms: 1 } },
  { growth: { transferErrors: 4, timeouts: 4 } },
];

test.each(harmless)("%j is ok", (differs) => {
  expect(judged(differs)).toEqual({ verdict: "ok", since: monday, findings: [] });
});

test("a disk that tells nothing of itself is judged by what was seen of it", () => {
  const facts: HealthFacts = { ...healthOf({ faults: { ioErrors: 1 } }), smart: undefined };
  expect(judge(freshJudgement(monday), facts, monday).verdict).toBe("watch");
});

test("a self-test that looked at less does not undo one that found a fault", () => {
  const short = { kind: "short", result: "passed", words: "" } as const;
  expect(judged({ smart: { selfTests: [short, failedTest] } }).verdict).toBe("failing");
  const long = { ...short, kind: "long" } as const;
  expect(judged({ smart: { selfTests: [short, long, failedTest] } }).verdict).toBe("ok");
});

test("the worst decides and comes first", () => {
  const all = judged({
    smart: { reallocated: 4, passed: false },
    faults: { unservedSeconds: 6000, ioErrors: 1 },
  });
  expect(all.verdict).toBe("failed");
  expect(all.findings.map(({ code }) => code)).toEqual([
    ...["not-served", "smart-failed", "io-errors", "reallocated"],
  ]);
});

test("it gets worse at once, and better only after a day, a week or an hour without", () => {
  const watch = judged({ faults: { ioErrors: 1 } });
  const failing = judged({ faults: { ioErrors: 30 } }, watch, monday + hour);
  expect([watch.verdict, failing.verdict, failing.since]).toEqual([
    ...["watch", "failing", monday + hour],
  ]);
  const well = (before: DiskJudgement, at: number) => judged({}, before, at).verdict;
  expect(well(watch, monday + day - 1)).toBe("watch");
  expect(well(watch, monday + day)).toBe("ok");
  expect(well(failing, monday + hour + 7 * day - 1)).toBe("failing");
  expect(well(failing, monday + hour + 7 * day)).toBe("ok");
  const failed = judged({ smart: { warnings: ["read-only"] } });
  expect(well(failed, monday + hour - 1)).toBe("failed");
  expect(well(failed, monday + hour)).toBe("ok");
});

test("what keeps being true keeps its begin, and what is held its last words", () => {
  const first = judged({ smart: { pending: 3 } });
  const second = judged({ smart: { pending: 5 } }, first, monday + hour);
  expect(second.findings).toMatchObject([
    { reason: "5 sectors cannot be read at present", since: monday, seen: monday + hour },
  ]);
  const held = judged({}, second, monday + 2 * hour);
  expect(held.findings).toEqual(second.findings);
});

test("a temperature around the limit does not flap", () => {
  const at = (celsius: number, before: DiskJudgement, minutes: number) =>
    judged({ smart: { temperatureCelsius: celsius } }, before, monday + minutes * 60);
  const hot = at(55, freshJudgement(monday), 0);
  const still = at(51, hot, 60);
  expect(still.findings.map(({ reason }) => reason)).toEqual(["It is 51 °C warm"]);
  expect(at(50, still, 74).verdict).toBe("watch");
  expect(at(49, still, 76).verdict).toBe("ok");
});

test("a clock that was set back by years holds nothing for ever", () => {
  const future = judged({ faults: { ioErrors: 1 } }, freshJudgement(monday), monday + 9999 * day);
  expect(judged({}, future, monday).verdict).toBe("ok");
});

test("whatever the facts, the verdict is that of the worst finding, and one look more changes nothing", () => {
  const number = fc.option(fc.nat(300), { nil: undefined });
  const counts = fc.record(Object.fromEntries(growingCounts.map((name) => [name, number])), {
    requiredKeys: [],
  });
  const faults = fc.record({
    ioErrors: fc.nat(40),
    quarantines: fc.nat(4),
    resets: fc.nat(5),
    passed: fc.boolean(),
  });
  fc.assert(
    fc.property(counts, counts, faults, (smart, growth, seen) => {
      const told = smartOf({ ...(smart as object), passed: seen.passed });
      const facts = healthOf({ smart: told, growth: growth as object, faults: { ...seen } });
      const once = judge(freshJudgement(monday), facts, monday);
      const verdicts = once.findings.map(({ grade }) => grade);
      expect(verdicts.some((grade) => isWorse(grade, once.verdict))).toBe(false);
      expect(once.verdict === "ok").toBe(verdicts.length === 0);
      expect(judge(once, facts, monday)).toEqual(once);
    }),
  );
});
