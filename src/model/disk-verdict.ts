/** What Cairn thinks of a disk, with its reasons, in the shape in which that is kept and shown. Pure data. */
import { choice, list, record, type ShapeValue, text, wholeNumber } from "#base/schema.ts";

/**
 * `ok`; `watch`: something is not as it should be, and the disk serves; `failing`: it is to be replaced while it still serves; `failed`: it
 * does not serve any more.
 */
export const diskVerdicts = ["ok", "watch", "failing", "failed"] as const;

export type DiskVerdict = (typeof diskVerdicts)[number];

export const maxFindings = 32;

const sentence = text({ maxLength: 1000 });

const finding = record({
  /** For machines; stays the same. */
  code: text({ maxLength: 60 }),
  grade: choice("watch", "failing", "failed"),
  /** What was seen. */
  reason: sentence,
  /** What to do about it. */
  advice: sentence,
  /** Unix seconds: since when, and when it was true last. */
  since: wholeNumber(),
  seen: wholeNumber(),
});

export const diskJudgement = record({
  verdict: choice(...diskVerdicts),
  /** Unix seconds. */
  since: wholeNumber(),
  /** The worst first; none where the verdict is `ok`. */
  findings: list(finding, { max: maxFindings }),
});

export type DiskFinding = ShapeValue<typeof finding>;
export type DiskJudgement = ShapeValue<typeof diskJudgement>;

/** True when `one` is worse than `other`. */
export function isWorse(one: DiskVerdict, other: DiskVerdict): boolean {
  return diskVerdicts.indexOf(one) > diskVerdicts.indexOf(other);
}
