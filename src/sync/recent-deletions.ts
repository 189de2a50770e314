/** What the end of a store path's binlog says was deleted, for the time after a start. Reads through the store; keeps nothing. */
import { hasCode } from "#base/app-error.ts";
import { type BinlogEntry, decodeEntry } from "#filestore/binlog/entry.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import type { FileStoreErrorCode } from "#filestore/errors.ts";
import type { BinlogPage } from "#filestore/replica-store.ts";
import type { SyncStore } from "#sync/push.ts";

/** Longer than any record (protocol §6.1). */
const maxLineBytes = 256;

/** Those after which a name stands for a file, or for none. */
const kinds: readonly BinlogEntry["kind"][] = ["create", "delete", "rename"];

/** Creations, deletions and renames in the last `tailBytes` of the binlog, in order. Rejects as `readBinlog` does. */
export async function* recentChanges(
  store: Pick<SyncStore, "binlogEnd" | "readBinlog">,
  storePathIndex: number,
  tailBytes: number,
): AsyncGenerator<BinlogEntry, void> {
  const { index, offset } = await store.binlogEnd(storePathIndex);
  const read = (from: BinlogPosition): Promise<BinlogPage> =>
    store.readBinlog(storePathIndex, from, tailBytes);
  let page = await firstPage(read, { index, offset: Math.max(0, offset - tailBytes) });
  for (;;) {
    for (const line of Buffer.from(page.lines).toString("latin1").split("\n")) {
      const entry = decodeEntry(line);
      if (entry === undefined || entry.timestamp === 0) continue;
      if (kinds.includes(entry.kind)) yield entry;
    }
    if (page.atEnd) return;
    page = await read(page.next);
  }
}

/** From the first record that begins at `from` or behind it: only there can be read. */
async function firstPage(
  read: (from: BinlogPosition) => Promise<BinlogPage>,
  { index, offset }: BinlogPosition,
): Promise<BinlogPage> {
  for (let skipped = 0; ; skipped += 1) {
    try {
      return await read({ index, offset: offset + skipped });
    } catch (error) {
      if (!hasCode<FileStoreErrorCode>(error, "binlog-gone") || skipped >= maxLineBytes)
        throw error;
    }
  }
}
