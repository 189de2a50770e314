/**
 * Making trunk files before they are needed (protocol §4.5): when, how many, and on which store path. A trunk file that the trunk server
 * makes is a line of its binlog; each storage makes the file itself with the first slot that it writes there. Pure.
 */
import { type StorePathReport, takesFiles } from "#filestore/file-store.ts";
import { hasRoom } from "#filestore/path-selector.ts";
import type { AdvanceTimes } from "#storage/trunk-parameters.ts";

const daySeconds = 86_400;

/** The time has come within the last `periodSeconds`. */
export function advanceIsDue(
  times: AdvanceTimes,
  now: { readonly secondOfDay: number; readonly sinceLastSeconds: number | undefined },
  periodSeconds: number,
): boolean {
  const { enabled, intervalSeconds, timeBase } = times;
  if (!enabled || intervalSeconds === 0) return false;
  const { sinceLastSeconds = Number.POSITIVE_INFINITY } = now;
  // Intervals above a day count from the last time, at that time of the day.
  if (intervalSeconds > daySeconds && sinceLastSeconds < intervalSeconds - daySeconds) return false;
  const base = timeBase.hour * 3600 + timeBase.minute * 60;
  const since = (now.secondOfDay - base + daySeconds) % Math.min(intervalSeconds, daySeconds);
  return since < periodSeconds;
}

/** So many are missing until so much is free. */
export function filesToMake(thresholdBytes: number, freeBytes: number, fileBytes: number): number {
  return Math.max(0, Math.floor((thresholdBytes - freeBytes) / fileBytes));
}

/** The path with most room where `bytes` more leave the reserve alone; undefined where none has that. */
export function pathForFile(
  paths: readonly Pick<
    StorePathReport,
    "index" | "state" | "readOnly" | "totalBytes" | "freeBytes"
  >[],
  bytes: ReadonlyMap<number, number>,
  limit: Parameters<typeof hasRoom>[2] & { readonly fileBytes: number },
): number | undefined {
  let best: { readonly index: number; readonly freeBytes: number } | undefined;
  for (const path of paths) {
    if (!takesFiles(path.state) || path.readOnly) continue;
    const { index, totalBytes } = path;
    const freeBytes = path.freeBytes - (bytes.get(index) ?? 0);
    const isTooFull = !hasRoom({ totalBytes, freeBytes }, limit.fileBytes, limit);
    if (isTooFull || freeBytes <= (best?.freeBytes ?? 0)) continue;
    best = { index, freeBytes };
  }
  return best?.index;
}
