/**
 * The judgement of a disk: a pure machine over what is known of it now and what was thought of it before. It gets worse at once, and
 * better only when nothing has spoken against the disk for a while, so that it does not flap: who reads "failing" on Monday must not
 * find "ok" on Tuesday because the kernel counts anew after a restart.
 */
import type { HealthFacts } from "#disks/health/health-facts.ts";
import { type Rule, rules } from "#disks/health/rules.ts";
import {
  type DiskFinding,
  type DiskJudgement,
  type DiskVerdict,
  diskVerdicts,
  isWorse,
  maxFindings,
} from "#model/disk-verdict.ts";

/** For how long a finding stays after it was true last, in seconds. */
const holdSeconds: Readonly<Record<DiskFinding["grade"], number>> = {
  watch: 24 * 3600,
  failing: 7 * 24 * 3600,
  failed: 3600,
};

/** Such that end as soon as they are over: holding them would only be wrong. */
const brief: readonly string[] = ["hot", "slower-than-usual", "no-capacity", "not-served"];
const briefHoldSeconds = 900;

/** A disk that nothing is known of. */
export function freshJudgement(nowSeconds: number): DiskJudgement {
  return { verdict: "ok", since: nowSeconds, findings: [] };
}

/** `before` is the last judgement of the same disk. */
export function judge(
  before: DiskJudgement,
  facts: HealthFacts,
  nowSeconds: number,
): DiskJudgement {
  const kept = new Map(before.findings.map((each) => [each.code, each]));
  const found = rules
    .map((rule) => findingOf(rule, facts, { before: kept.get(rule.code), nowSeconds }))
    .filter((each) => each !== undefined);
  const findings = worstOfTopics(found).slice(0, maxFindings);
  const verdict: DiskVerdict = findings[0]?.grade ?? "ok";
  const since = verdict === before.verdict ? before.since : nowSeconds;
  return { verdict, since, findings };
}

function findingOf(
  rule: Rule,
  facts: HealthFacts,
  at: { readonly before: DiskFinding | undefined; readonly nowSeconds: number },
): DiskFinding | undefined {
  const { before, nowSeconds } = at;
  const { code, grade, advice } = rule;
  const reason = rule.reason(facts, before !== undefined);
  if (reason !== undefined) {
    return { code, grade, reason, advice, since: before?.since ?? nowSeconds, seen: nowSeconds };
  }
  if (before === undefined) return undefined;
  const hold = brief.includes(code) ? briefHoldSeconds : holdSeconds[grade];
  // A clock that was set back must not hold it for ever.
  const isHeld = nowSeconds < before.seen + hold && nowSeconds >= before.seen - hold;
  return isHeld ? { ...before, grade, advice } : undefined;
}

/** The worst of each topic, the worst topics first. */
function worstOfTopics(found: readonly DiskFinding[]): readonly DiskFinding[] {
  const byTopic = new Map<string, DiskFinding>();
  for (const each of found) {
    const topic = rules.find(({ code }) => code === each.code)?.topic ?? each.code;
    const other = byTopic.get(topic);
    if (other === undefined || isWorse(each.grade, other.grade)) byTopic.set(topic, each);
  }
  return [...byTopic.values()].sort(
    (one, other) => diskVerdicts.indexOf(other.grade) - diskVerdicts.indexOf(one.grade),
  );
}
