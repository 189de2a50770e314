/** How counts of a disk grow: one sample a day, kept for two months. Pure. */

import { list, optional, record, type ShapeValue, wholeNumber } from "#base/schema.ts";
import { type GrowingCount, type Growth, growingCounts } from "#disks/health/health-facts.ts";
import type { SmartFacts } from "#model/smart-facts.ts";

export const maxSamples = 60;
const daySeconds = 24 * 3600;
const weekSeconds = 7 * daySeconds;

const count = optional(wholeNumber());

const sample = record({
  /** Unix seconds. */
  at: wholeNumber(),
  reallocated: count,
  uncorrectable: count,
  timeouts: count,
  pending: count,
  offlineUncorrectable: count,
  transferErrors: count,
  mediaErrors: count,
});

/** The oldest first. */
export const samplesShape = list(sample, { max: maxSamples });

export type Sample = ShapeValue<typeof sample>;

export function sampleOf(facts: SmartFacts, nowSeconds: number): Sample {
  const counts: Partial<Record<GrowingCount, number>> = {};
  for (const name of growingCounts) {
    const value = facts[name];
    if (value !== undefined) counts[name] = value;
  }
  return { at: nowSeconds, ...counts };
}

/** With `next` where the last one is a day old. Samples from a future that a wrong clock saw are dropped. */
export function addSample(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const past = samples.filter(({ at }) => at <= next.at);
  const last = past.at(-1);
  if (last !== undefined && next.at - last.at < daySeconds) return past;
  return [...past, next].slice(-maxSamples);
}

/** What each count grew by since a week ago, or since it is known. */
export function growthOf(samples: readonly Sample[], now: Sample): Growth {
  const growth: Partial<Record<GrowingCount, number>> = {};
  const past = samples.filter(({ at }) => at < now.at);
  const old = past.filter(({ at }) => at <= now.at - weekSeconds).at(-1);
  const base = old ?? past[0];
  if (base === undefined) return growth;
  for (const name of growingCounts) {
    const by = (now[name] ?? 0) - (base[name] ?? now[name] ?? 0);
    if (by > 0) growth[name] = by;
  }
  return growth;
}
