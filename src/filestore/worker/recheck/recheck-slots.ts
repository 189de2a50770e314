/**
 * The packed files of one trunk file, by the headers of their slots: a slot whose content is not what its header says is overwritten by
 * zeros, so that nobody takes it for the file. Its space is not given out: a peer may have the file, and it comes back into this slot.
 * Worker thread.
 */
import { crcOfRange } from "#filestore/worker/recheck/judge-file.ts";
import type { LostFiles } from "#filestore/worker/recheck/lost-files.ts";
import { slotLockKey } from "#filestore/worker/replicas/replica-slot.ts";
import { slotHeaders } from "#filestore/worker/slot-headers.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";

const fileType = 0x46;
const linkType = 0x4c;

export interface SuspectTrunkFile {
  readonly path: string;
  readonly fileId: number;
  /** See `RecheckNote`: trunk files that did not change since are passed over. */
  readonly since: number;
  /** Unix seconds: names from then on are of this run, which may be writing their slots. */
  readonly namedBefore: number;
}

/** In steps of at most 1 MiB. Throws `FileError`. */
export function* recheckSlots(
  store: StorePath,
  lost: LostFiles,
  { path, fileId, since, namedBefore }: SuspectTrunkFile,
): Generator<undefined, void> {
  const { files, packed, locks } = store;
  const stat = files.stat(path, false);
  if (stat?.kind !== "file" || stat.changedSeconds < since) return;
  const descriptor = files.open(path, "read");
  try {
    // A slot may go beyond the end of a file that was cut off.
    const trunk = { files, descriptor, fileId, sizeBytes: Number.MAX_SAFE_INTEGER };
    for (const entry of slotHeaders(trunk, 0)) {
      yield undefined;
      if (entry?.content !== "file" || entry.timestamp >= namedBefore) continue;
      const { offset, slotSize: size } = entry;
      const header = headerAt(store, path, offset);
      const range = { from: offset + trunkHeaderSize, length: entry.sizeBytes };
      const crc = yield* crcOfRange(files, () => packed.descriptors.peek(path), range);
      if (crc === entry.crc32 || locks.has(slotLockKey({ path, offset }))) continue;
      // Deleted, or written again, while it was read.
      if (header === undefined || headerAt(store, path, offset)?.equals(header) !== true) continue;
      const end = Math.min(offset + size, stat.sizeBytes);
      const isTrue = mayBeginAt(store, path, end);
      // What is no slot, but reads like one, may be said to be as large as anything.
      lost.slot({ path, fileId, offset, size: isTrue ? end - offset : trunkHeaderSize });
    }
  } finally {
    files.close(descriptor);
  }
}

/** The end of the file, nothing, or another slot. */
function mayBeginAt({ files, packed }: StorePath, path: string, offset: number): boolean {
  const descriptor = packed.descriptors.peek(path);
  const type = Buffer.alloc(1);
  if (descriptor !== undefined) files.read(descriptor, type, offset);
  return type[0] === 0 || type[0] === fileType || type[0] === linkType;
}

function headerAt({ files, packed }: StorePath, path: string, offset: number): Buffer | undefined {
  const descriptor = packed.descriptors.peek(path);
  const header = Buffer.alloc(trunkHeaderSize);
  if (descriptor === undefined || files.read(descriptor, header, offset) < header.length) {
    return undefined;
  }
  return header;
}
