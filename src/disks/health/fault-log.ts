/**
 * What was seen of each disk in the last 24 hours, by hours: a bounded count, whatever a dying disk makes the kernel say. Main thread.
 */
import type { ObservedFaults } from "#disks/health/health-facts.ts";

export const countedFaults = [
  "ioErrors",
  "resets",
  "quarantines",
  "abandoned",
  "failedRequests",
  "unreadableFiles",
  "rottenFiles",
  "unsteadyFiles",
] as const satisfies readonly (keyof ObservedFaults)[];

export type CountedFault = (typeof countedFaults)[number];

export type FaultCounts = Readonly<Record<CountedFault, number>>;

const hourSeconds = 3600;
const keptHours = 24;
/** A count that passes this says nothing more. */
const maxCount = 1_000_000;

export class FaultLog {
  /** By hour since 1970. */
  readonly #hours = new Map<number, Map<CountedFault, number>>();

  /** `count` faults of a kind at that second. */
  note(kind: CountedFault, count: number, atSeconds: number): void {
    if (count <= 0) return;
    const hour = Math.floor(atSeconds / hourSeconds);
    const counts = this.#hours.get(hour) ?? new Map<CountedFault, number>();
    counts.set(kind, Math.min(maxCount, (counts.get(kind) ?? 0) + count));
    this.#hours.set(hour, counts);
    while (this.#hours.size > 2 * keptHours) {
      this.#hours.delete(Math.min(...this.#hours.keys()));
    }
  }

  clear(): void {
    this.#hours.clear();
  }

  /** Of the 24 hours before that second. */
  counts(nowSeconds: number): FaultCounts {
    const last = Math.floor(nowSeconds / hourSeconds);
    const sums = {
      ...{ ioErrors: 0, resets: 0, quarantines: 0, abandoned: 0, failedRequests: 0 },
      ...{ unreadableFiles: 0, rottenFiles: 0, unsteadyFiles: 0 },
    };
    for (const [hour, counts] of this.#hours) {
      if (hour <= last - keptHours || hour > last) continue;
      for (const kind of countedFaults) sums[kind] += counts.get(kind) ?? 0;
    }
    return sums;
  }
}

/** What a count that only grows grew by; one that starts anew begins at 0. */
export function grownBy(before: number | undefined, now: number): number {
  if (before === undefined) return 0;
  return now >= before ? now - before : now;
}
