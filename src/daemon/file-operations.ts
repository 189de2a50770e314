/** What the running node does about its files when an operator asks for it: scrubs and receipts. */
import type { OperationHandlers } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
import {
  type fileOperations,
  maxListedDamage,
  type PathScrubReport,
} from "#control/operations/files.ts";
import { receiptOf } from "#daemon/file-receipt.ts";
import type { HalfName } from "#daemon/storage-halves.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import type { PathScrub } from "#storage/scrub-part.ts";
import type { RunningStorage } from "#storage/storage-role.ts";

export interface ScrubbedStorage {
  readonly half: HalfName | undefined;
  readonly store: { readonly paths: readonly Pick<StorePathReport, "index" | "directory">[] };
  readonly storage: Pick<RunningStorage, "scrub" | "receipts"> & {
    snapshot(): Pick<ReturnType<RunningStorage["snapshot"]>, "scrubs">;
  };
}

/** `storages` of this node: none where it has no such role. */
export function fileHandlers(
  storages: () => readonly ScrubbedStorage[],
  group: () => string,
): OperationHandlers<typeof fileOperations> {
  const required = (): readonly ScrubbedStorage[] => {
    const all = storages();
    if (all.length > 0) return all;
    throw controlError("input-invalid", "this node stores no files: ask a storage");
  };
  return {
    orderScrub: async ({ order, storePath, half: wanted }) => {
      const asked = required().filter(({ half }) => wanted === undefined || half === wanted);
      if (asked.length === 0) {
        throw controlError("input-invalid", "this node is no mirror: leave out which half");
      }
      const known = asked.some(({ store }) => store.paths.some(({ index }) => index === storePath));
      if (storePath !== undefined && !known) {
        throw controlError("input-invalid", `there is no store path ${storePath}`);
      }
      let changed = 0;
      for (const { storage } of asked) changed += await storage.scrub.order(order, storePath);
      return { changed };
    },
    reportScrub: () => ({ paths: required().flatMap(scrubReports) }),
    receipt: async ({ id, read = false }) => {
      const found = await receiptOf(required(), group(), { id, reads: read });
      if (found !== undefined) return found;
      throw controlError("input-invalid", `"${id}" is no file id of this node's group ${group()}`);
    },
  };
}

export function scrubReports({
  half,
  store,
  storage,
}: ScrubbedStorage): readonly PathScrubReport[] {
  return (storage.snapshot().scrubs ?? []).map((scrub) => {
    const path = store.paths.find(({ index }) => index === scrub.storePath);
    return reportOf(scrub, { half, directory: path?.directory ?? "" });
  });
}

function reportOf(
  scrub: PathScrub,
  where: { readonly half: HalfName | undefined; readonly directory: string },
): PathScrubReport {
  const { storePath, state, begunAt, endedAt, nextAt, tally, damaged, damagedTotal } = scrub;
  const { files, bytes, good, unknown, damaged: found, unreadable, unsteady } = tally;
  const { half, directory } = where;
  return {
    ...(half === undefined ? {} : { half }),
    ...{ storePath, directory, state, begunAt, endedAt, nextAt },
    ...progressOf(scrub),
    ...{ files, bytes, good, unknown, damaged: found, unreadable, unsteady },
    open: damaged.slice(0, maxListedDamage).map((file) => {
      const { place, damage, state: open, since, sizeBytes } = file;
      return { place, damage, state: open, since, sizeBytes };
    }),
    openTotal: damagedTotal,
    healed: scrub.healed,
    problem: scrub.problem,
  };
}

function progressOf({
  state,
  directoriesDone,
  directoriesTotal,
  activeMs,
}: PathScrub): Pick<PathScrubReport, "progressPercent" | "remainingSeconds"> {
  if (state === "idle") return { progressPercent: 100, remainingSeconds: undefined };
  if (directoriesTotal === 0) return { progressPercent: 0, remainingSeconds: undefined };
  const part = directoriesDone / directoriesTotal;
  const remaining = part > 0 ? (activeMs / part - activeMs) / 1000 : undefined;
  return {
    progressPercent: Math.floor(100 * part),
    remainingSeconds: remaining === undefined ? undefined : Math.ceil(remaining),
  };
}
