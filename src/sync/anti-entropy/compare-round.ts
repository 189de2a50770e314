/**
 * One comparison of one store path with one peer, and the repair of what it finds: both sides agree what counts, make their inventories,
 * and where these differ the directories are looked at twice before anything is done.
 */

import type { Horizons } from "#filestore/inventory/horizons.ts";
import { leafCount } from "#filestore/inventory/inventory-table.ts";
import { type Clock, delay } from "#platform/clock.ts";
import {
  type ComparedSide,
  compareLeaf,
  differingLeaves,
  type EntryDifference,
  stillDiffering,
} from "#sync/anti-entropy/compare-inventories.ts";
import {
  type InventorySide,
  type WalkManners,
  wholeListing,
} from "#sync/anti-entropy/inventory-side.ts";
import {
  maxDifferencesAtOnce,
  progressPeriodMs,
  recheckAfterMs,
  retryBeginMs,
  walkLimitMs,
} from "#sync/anti-entropy/limits.ts";
import { nameDifferences } from "#sync/anti-entropy/name-differences.ts";
import type { RepairRunner } from "#sync/anti-entropy/repair-runner.ts";

export interface CompareProgress {
  /** Of the own inventory, 0 … 65,536. */
  leavesDone: number;
  files: number;
  differing: number;
  /** Differences that were still there at the second look. */
  found: number;
  nameless: number;
  /** Sources of whose files nothing is compared, since one side does not know what it holds of them. */
  unsettled: number;
}

export interface CompareParts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly storePathIndex: number;
  readonly here: InventorySide;
  readonly there: InventorySide;
  readonly horizons: Horizons;
  readonly manners: WalkManners;
  readonly runner: RepairRunner;
  readonly progress: CompareProgress;
  /** Between the two looks at what differs. */
  readonly recheckMs?: number;
}

export function newProgress(): CompareProgress {
  return { leavesDone: 0, files: 0, differing: 0, found: 0, nameless: 0, unsettled: 0 };
}

/** `asleep`: a disk that is not to be woken sleeps, and nothing was compared. Rejects where a side fails, and with the signal's reason. */
export async function compareAndRepair(parts: CompareParts): Promise<"compared" | "asleep"> {
  const { here, there, manners, horizons } = parts;
  const begun = await untilBegun(parts, () => there.begin(horizons, manners));
  if (begun === "asleep") return begun;
  // It was awake when the round began, and has been asked for its part of this one by now.
  const own = await untilBegun(parts, () =>
    here.begin(begun.horizons, { ...manners, patient: false }),
  );
  if (own === "asleep") return own;
  for (const horizon of begun.horizons.values()) {
    if (horizon === 0) parts.progress.unsettled += 1;
  }
  const sides = {
    here: { side: here, walk: own.walk },
    there: { side: there, walk: begun.walk },
  };
  await Promise.all([untilWalked(parts, sides.here, true), untilWalked(parts, sides.there, false)]);
  let batch: EntryDifference[] = [];
  let leaves: number[] = [];
  for await (const leaf of differingLeaves(sides.here, sides.there)) {
    parts.progress.differing += 1;
    let rest = await compareLeaf(sides.here, sides.there, {
      leaf,
      limit: maxDifferencesAtOnce,
    });
    leaves.push(leaf);
    for (const each of rest) batch.push(each);
    rest = [];
    if (batch.length < maxDifferencesAtOnce) continue;
    await repairBatch(parts, sides, { batch, leaves });
    batch = [];
    leaves = [];
  }
  if (batch.length > 0) await repairBatch(parts, sides, { batch, leaves });
  return "compared";
}

interface Sides {
  readonly here: ComparedSide;
  readonly there: ComparedSide;
}

async function repairBatch(
  parts: CompareParts,
  { here, there }: Sides,
  {
    batch,
    leaves,
  }: { readonly batch: readonly EntryDifference[]; readonly leaves: readonly number[] },
): Promise<void> {
  const { clock, signal, runner, progress } = parts;
  await delay(clock, parts.recheckMs ?? recheckAfterMs, signal);
  const standing: EntryDifference[] = [];
  for (const leaf of leaves) {
    const first = batch.filter((each) => each.leaf === leaf);
    const second = await compareLeaf(here, there, { leaf });
    for (const each of stillDiffering(first, second)) standing.push(each);
  }
  progress.found += standing.length;
  signal.throwIfAborted();
  const named = await nameDifferences(
    { here: here.side, there: there.side, storePathIndex: parts.storePathIndex },
    standing,
  );
  progress.nameless += named.nameless;
  await runner.run(named.differences);
}

async function untilBegun<Begun>(
  { clock, signal }: CompareParts,
  begin: () => Promise<Begun | undefined>,
): Promise<Begun> {
  const endsMs = clock.monotonicMs() + walkLimitMs;
  for (;;) {
    const begun = await begin();
    if (begun !== undefined) return begun;
    if (clock.monotonicMs() > endsMs) throw new Error("another inventory does not end there");
    await delay(clock, retryBeginMs, signal);
  }
}

async function untilWalked(
  { clock, signal, progress }: CompareParts,
  { side, walk }: ComparedSide,
  isOwn: boolean,
): Promise<void> {
  if (walk === wholeListing) return;
  const endsMs = clock.monotonicMs() + walkLimitMs;
  for (;;) {
    const { leavesDone, files } = await side.nodes(walk, -1);
    if (isOwn) {
      progress.leavesDone = leavesDone;
      progress.files = files;
    }
    if (leavesDone === leafCount) return;
    if (clock.monotonicMs() > endsMs) throw new Error("the inventory does not end");
    await delay(clock, progressPeriodMs, signal);
  }
}
