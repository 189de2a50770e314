/**
 * New files that go to a peer together: the store path's worker reads them into one block, as the records that are sent, so that contents are
 * not looked at here. What it leaves out is sent one by one, by whoever asks. Main thread.
 */
import { decodeBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import { maxSyncBatchBytes, maxSyncContentBytes } from "#protocol/peer/sync-record.ts";
import type { PushedRecord, SyncStore } from "#sync/push.ts";

export interface ReadFile {
  readonly name: string;
  readonly bytes: number;
}

export interface Together {
  /** Those that were read, in the order of their records in `bytes`. */
  readonly files: ReadonlyMap<PushedRecord, ReadFile>;
  /** What is to be sent. */
  readonly bytes: Uint8Array;
  /** Puts further records behind them; false where there is no room. */
  join(records: Uint8Array): boolean;
  release(): void;
}

/** Never rejects. */
export async function readTogether(
  store: Pick<SyncStore, "readBatch">,
  records: readonly PushedRecord[],
): Promise<Together> {
  const asked: (ReadFile & { readonly record: PushedRecord })[] = [];
  for (const record of records) {
    const bytes = sizeOfNew(record);
    if (bytes !== undefined) asked.push({ record, name: record.entry.name, bytes });
  }
  const [first] = asked;
  if (first === undefined) return nothing;
  const lines = asked.map(({ record }) => record.line);
  const batch = await store.readBatch(first.name, lines);
  if (batch === undefined) return nothing;
  const read = asked.filter((_, at) => batch.isIn[at] === true);
  let { lengthBytes } = batch;
  return {
    files: new Map(read.map(({ record, name, bytes }) => [record, { name, bytes }])),
    get bytes(): Uint8Array {
      return batch.bytes.subarray(0, lengthBytes);
    },
    join: (more) => {
      const all = lengthBytes + more.length;
      if (all > Math.min(batch.bytes.length, maxSyncBatchBytes)) return false;
      batch.bytes.set(more, lengthBytes);
      lengthBytes = all;
      return true;
    },
    release: () => batch.release(),
  };
}

const nothing: Together = {
  files: new Map(),
  bytes: new Uint8Array(0),
  join: () => false,
  release: () => {},
};

/** Of a small file that never changes; undefined for all others, and for one that could not be sent in this way before. */
function sizeOfNew({ entry, whole, tries }: PushedRecord): number | undefined {
  if (entry.kind !== "create" || whole === "replace" || tries > 0) return undefined;
  const base = parseRemoteFilename(entry.name)?.base;
  const decoded = base === undefined ? undefined : decodeBase(base);
  if (decoded === undefined || decoded.isSlave || decoded.isAppender) return undefined;
  const { size } = decoded;
  return size === undefined || size > maxSyncContentBytes ? undefined : size;
}
