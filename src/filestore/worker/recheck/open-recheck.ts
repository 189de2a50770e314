/** At a start: finds out whether files are in doubt, and notes it before anything else is noted that would hide it. Worker thread. */
import type { BinlogRecord } from "#filestore/binlog/binlog-reader.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import type { EngineState } from "#filestore/formats/engine-state.ts";
import type { RecheckNote } from "#filestore/formats/recheck-note.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { planRecheck } from "#filestore/worker/recheck/plan-recheck.ts";
import { Recheck, readRecheckNote, writeRecheckNote } from "#filestore/worker/recheck/recheck.ts";
import { settlingMs } from "#filestore/worker/recheck/settling.ts";
import type { EngineParts, StorePath } from "#filestore/worker/store-path.ts";
import { nowSeconds } from "#platform/clock.ts";
import { FileError } from "#platform/files.ts";

export interface FoundState {
  readonly state: EngineState | "damaged" | undefined;
  /** Of the binlog, before this start added to it. */
  readonly end: BinlogPosition;
  /** The last records. */
  readonly recent: readonly BinlogRecord[];
  readonly flushed: boolean;
}

/** Undefined where nothing is in doubt. Throws `FileError`. */
export function findDoubts(
  { files, clock, log }: EngineParts,
  layout: FileLayout,
  found: FoundState,
): RecheckNote | undefined {
  const { state, end, recent, flushed } = found;
  const before = readRecheckNote(files, layout.own);
  if (before === "damaged") log.error("recheck-note-damaged", { path: layout.own });
  const fallbackSince = fallbackOf(recent, nowSeconds(clock));
  const mounting = files.mounting(layout.own);
  const note = planRecheck({ state, end, note: before, mounting, flushed, fallbackSince });
  if (note === undefined || note === before) return note;
  const { why, walks } = note;
  log.notice("files-in-doubt", { why, files: walks ? "all" : "latest" });
  try {
    writeRecheckNote(files, layout.own, note);
    files.flushDirectory(layout.own);
  } catch (error) {
    // A full disk is looked through as well; only where that is interrupted nobody knows of it.
    if (!(error instanceof FileError) || error.code !== "ENOSPC") throw error;
    log.warn("recheck-not-noted", { problem: error.message });
  }
  return note;
}

/** `found`: where the binlog ended when it was opened. */
export function beginRecheck(
  store: StorePath,
  note: RecheckNote | undefined,
  how: { readonly found: BinlogPosition; readonly parts: EngineParts },
): Recheck | undefined {
  if (note === undefined) return undefined;
  const tell = how.parts.onRecheck ?? (() => {});
  if (note.walks) store.packed.space.hold();
  return new Recheck(store, note, { found: how.found, tell });
}

/** Twice the time in which the kernel writes, before the newest record; everything where the clock is behind that. */
function fallbackOf(recent: readonly BinlogRecord[], now: number): number {
  let newest = 0;
  for (const { entry } of recent) newest = Math.max(newest, entry.timestamp);
  return newest > now ? 0 : Math.max(0, newest - (2 * settlingMs) / 1000);
}
