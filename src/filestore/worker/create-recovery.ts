/**
 * At a start: new files that were recorded and are not there, or not whole. A kill between the record and the file leaves such, of the
 * last batch, whose changes nobody was told of; a power cut without flushes can leave more. What is there of them goes, and a record
 * says so: in lower case and without a time, which nobody takes for a deletion, since where the file was acknowledged and lost those who
 * have it are to keep it. Only names of normal files tell what is whole. Worker thread.
 */
import { crc32 } from "node:zlib";
import type { BinlogRecord } from "#filestore/binlog/binlog-reader.ts";
import { neverHereLine } from "#filestore/binlog/entry.ts";
import { largeBlockBytes } from "#filestore/block-pool.ts";
import { amendBinlog } from "#filestore/worker/amend-binlog.ts";
import { maxBatch } from "#filestore/worker/commit-queue.ts";
import { type FilePlace, isMetadataBase } from "#filestore/worker/file-layout.ts";
import { runFlushSteps } from "#filestore/worker/flush-steps.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { hasMadeTail } from "#model/file-base.ts";
import { type DecodedBase, decodeBase } from "#model/file-id.ts";
import { FileError } from "#platform/files.ts";

interface Created {
  readonly place: FilePlace;
  readonly sizeBytes: number;
  /** Undefined where the content is not looked at. */
  readonly crc32: number | undefined;
}

/** Of a name that a record of a new file is the last one of; undefined where that does not tell what is whole. */
export function createdBy(place: FilePlace, { entry }: BinlogRecord): Created | undefined {
  if (entry.kind !== "create" || isMetadataBase(place.base)) return undefined;
  const told: DecodedBase | undefined = decodeBase(place.base);
  if (told?.size === undefined || told.isTrunk || !hasMadeTail(place.base)) return undefined;
  // A peer's name may say another CRC-32 than its content has always had.
  return { place, sizeBytes: told.size, crc32: entry.replica ? undefined : told.crc32 };
}

/** `created` in the order of their records. Returns the places of files that were removed. Throws `FileError`. */
export function settleCreated(store: StorePath, created: readonly Created[]): readonly FilePlace[] {
  const removed: FilePlace[] = [];
  let lines = "";
  let missing = 0;
  for (const [index, each] of created.entries()) {
    // The content of the latest may be another one; no more were under way at a time.
    const state = stateOf(store, each, created.length - index <= maxBatch);
    if (state === "whole") continue;
    if (state === "missing") missing += 1;
    // Before the record: a full disk may have no room for that.
    else if (store.files.remove(each.place.path)) removed.push(each.place);
    lines += neverHereLine(each.place.name);
  }
  if (lines === "") return removed;
  store.log.warn("new-files-not-whole", { missing, removed: removed.length });
  runFlushSteps(store.files, amendBinlog(store, lines));
  return removed;
}

function stateOf(
  { files, log }: StorePath,
  { place, sizeBytes, crc32: crc }: Created,
  readsContent: boolean,
): "whole" | "half" | "missing" {
  try {
    const stat = files.stat(place.path, false);
    if (stat === undefined) return "missing";
    if (stat.kind !== "file") return "whole";
    if (stat.sizeBytes !== sizeBytes) return "half";
    // Longer bodies come in pieces, and stand in their place only when they are whole.
    if (!readsContent || crc === undefined || sizeBytes > largeBlockBytes) return "whole";
    const descriptor = files.open(place.path, "read");
    try {
      const bytes = Buffer.allocUnsafe(sizeBytes);
      const got = files.read(descriptor, bytes, 0);
      return crc32(bytes.subarray(0, got)) === crc ? "whole" : "half";
    } finally {
      files.close(descriptor);
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    // One file that cannot be read is no reason not to serve the others.
    log.error("new-file-not-read", { name: place.name, problem: error.message });
    return "whole";
  }
}
