/** The space of a group is that of its tightest writable storage (protocol §9.5). Pure. */
import type { Space } from "#tracker/routing/views.ts";

/** Undefined where no writable storage has reported its space yet; then what was known before holds on. */
export function groupTotals(writable: readonly Space[]): Space | undefined {
  let tightest: Space | undefined;
  for (const storage of writable) {
    if (storage.totalMb === 0) continue;
    if (tightest === undefined || storage.freeMb < tightest.freeMb) tightest = storage;
  }
  return tightest === undefined
    ? undefined
    : { totalMb: tightest.totalMb, freeMb: tightest.freeMb };
}
