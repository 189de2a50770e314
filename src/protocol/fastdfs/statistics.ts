/**
 * What a storage counts since it was first started, in the order in which it travels: the body of a beat, and part of each
 * record of LIST_STORAGE (StatBlock, 348 bytes, protocol §2.3).
 */
import type { Codec, ValueOf } from "#protocol/codec.ts";
import { releaseNumber } from "#protocol/codec.ts";
import { i64, since, struct } from "#protocol/codecs.ts";
import { connectionCounts } from "#protocol/fields.ts";

/** Attempts, and those which succeeded. */
export interface Tally {
  readonly total: number;
  readonly success: number;
}

const tally: Codec<Tally> = struct({ total: i64, success: i64 });

const noConnections = { allocated: 0, current: 0, max: 0 };

/** Counts of operations, bytes, and times in Unix seconds. */
export const storageStatistics = struct({
  connections: since(releaseNumber(5, 4, 0), connectionCounts, noConnections),
  uploads: tally,
  appends: tally,
  modifies: tally,
  truncates: tally,
  metadataSets: tally,
  deletes: tally,
  downloads: tally,
  metadataGets: tally,
  linkCreations: tally,
  linkDeletions: tally,
  uploadBytes: tally,
  appendBytes: tally,
  modifyBytes: tally,
  downloadBytes: tally,
  syncInBytes: tally,
  syncOutBytes: tally,
  fileOpens: tally,
  fileReads: tally,
  fileWrites: tally,
  lastSourceUpdate: i64,
  lastSyncUpdate: i64,
  lastSyncedTimestamp: i64,
  lastHeartBeatTime: i64,
});

export type StorageStatistics = ValueOf<typeof storageStatistics>;

/** Bytes of a beat that carries statistics. */
export const statisticsSize = 348;
