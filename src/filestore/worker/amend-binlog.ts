/**
 * Appends records that make the binlog true again, after the disk refused to carry out what it already says. Worker thread.
 */
import { type FlushSteps, flushAll } from "#filestore/worker/flush-steps.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { FileError } from "#platform/files.ts";

/** Best effort: where this fails too, the next start carries out what was recorded. */
export function* amendBinlog(store: StorePath, lines: string): FlushSteps<void> {
  if (lines === "") return;
  const held = store.binlog.hold();
  try {
    store.binlog.append(lines);
    const error = store.flushed ? yield* flushAll(store, [store.binlog.flushTarget]) : undefined;
    if (error !== undefined) throw error;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    store.log.error("binlog-not-amended", { records: lines.trimEnd(), problem: error.message });
  } finally {
    store.binlog.release(held);
  }
}
