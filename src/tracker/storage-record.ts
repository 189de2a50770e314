/**
 * One storage of one group in the tracker's memory. Mutable; only `Registry` changes what others derive from it (status,
 * identity, mode), handlers change the rest. Satisfies the routing rules' `StorageView`. Main thread.
 */
import type { StorageId } from "#model/storage-id.ts";
import { type ReadWriteMode, readWriteMode, type StorageStatus } from "#model/storage-status.ts";
import type { StorageStatistics } from "#protocol/fastdfs/statistics.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { addressFor } from "#tracker/requester-address.ts";
import type { Space } from "#tracker/routing/views.ts";
import type { SyncSource } from "#tracker/storage-machine.ts";
import type { SavedStorage } from "#tracker/tracker-state.ts";

export interface StorageRecord {
  readonly group: GroupRecord;
  id: StorageId;
  /** One or two. */
  addresses: readonly string[];
  port: number;
  /** By the table of storage ids. */
  mode: ReadWriteMode;
  /** By its own settings, as storages of ours tell; not kept over restarts of the tracker. */
  ownMode: ReadWriteMode;
  readonly joinOrder: number;
  status: StorageStatus;
  source: SyncSource | undefined;
  version: string;
  /** Whether it is one of ours; unsaid of a new one until its first beat. */
  dialect: "unsaid" | "cairn" | "original";
  joinTime: number;
  /** 0 while it is not connected. */
  upTime: number;
  uploadPriority: number;
  storePathCount: number;
  subdirCount: number;
  totalMb: number;
  freeMb: number;
  storePaths: readonly Space[];
  currentWritePath: number;
  changelogOffset: number;
  statistics: StorageStatistics;
  lastSyncedTimestamp: number;
  /** Unix seconds, for reports. */
  lastHeartBeatTime: number;
  /** Monotonic milliseconds of the last beat, for the check whether it is silent. */
  heardAtMs: number;
  /** Monotonic milliseconds of the last message of any kind on its session. */
  messageAtMs: number;
  syncTimes: Map<StorageId, number>;
  /** See `StorageView`. In memory only: a storage of ours tells it every second. */
  held: ReadonlyMap<number, number> | undefined;
  /** It does so on the session that speaks for it. */
  reportsHeld: boolean;
  /** Every file that it makes from now on has at least this name time, as it told last; 0 for unknown. */
  nameClock: number;
  /** The session on which it joined last; only that one's end counts. */
  session: object | undefined;
  /** Version of the group's members that it was told; −1 for none. */
  membersTold: number;
  /** Version of the group's trunk server that it was told; 0 is that of a group which never had one. */
  trunkServerTold: number;
}

/** What clients may do there: what the table of storage ids and its own settings both allow. */
export function clientMode({
  mode,
  ownMode,
}: Pick<StorageRecord, "mode" | "ownMode">): ReadWriteMode {
  return (mode & ownMode) as ReadWriteMode;
}

/** A record as it is before the first join; `none` is its status until the machine has seen that. */
export function newStorageRecord(
  group: GroupRecord,
  identity: {
    readonly id: StorageId;
    readonly addresses: readonly string[];
    readonly port: number;
    readonly mode: ReadWriteMode;
    readonly status: StorageStatus;
  },
): StorageRecord {
  const joinOrder = group.nextJoinOrder;
  group.nextJoinOrder += 1;
  return {
    ...identity,
    ownMode: readWriteMode.both,
    group,
    joinOrder,
    source: undefined,
    version: "",
    dialect: "unsaid",
    joinTime: 0,
    upTime: 0,
    uploadPriority: 10,
    storePathCount: 0,
    subdirCount: 0,
    totalMb: 0,
    freeMb: 0,
    storePaths: [],
    currentWritePath: 0,
    changelogOffset: 0,
    statistics: noStatistics(),
    lastSyncedTimestamp: 0,
    lastHeartBeatTime: 0,
    heardAtMs: 0,
    messageAtMs: 0,
    syncTimes: new Map(),
    held: undefined,
    reportsHeld: false,
    nameClock: 0,
    session: undefined,
    membersTold: -1,
    trunkServerTold: 0,
  };
}

/** Counters, space and sync times are gone; what the storage is stays. */
export function resetStorageRecord(record: StorageRecord): void {
  record.totalMb = 0;
  record.freeMb = 0;
  record.storePaths = [];
  record.currentWritePath = 0;
  record.statistics = noStatistics();
  record.lastSyncedTimestamp = 0;
  record.lastHeartBeatTime = 0;
  record.syncTimes = new Map();
  forgetHeld(record);
}

/** What it holds must be told anew, as after a time in which it was away. */
export function forgetHeld(record: StorageRecord): void {
  record.held = record.dialect === "cairn" ? nothingHeld : undefined;
  record.nameClock = 0;
}

/** What other nodes are told about it; the asker's address decides between two of it. */
export function briefOf(record: StorageRecord, requesterAddress: string): StorageBrief {
  const address = addressFor(record.addresses, requesterAddress);
  return { status: record.status, port: record.port, id: record.id, address };
}

/** The statistics with the two times that are the tracker's own. */
export function statisticsOf(record: StorageRecord): StorageStatistics {
  return {
    ...record.statistics,
    lastSyncedTimestamp: record.lastSyncedTimestamp,
    lastHeartBeatTime: record.lastHeartBeatTime,
  };
}

export function savedStorage(record: StorageRecord): SavedStorage {
  return {
    group: record.group.name,
    id: record.id,
    joinOrder: record.joinOrder,
    addresses: record.addresses,
    port: record.port,
    status: record.status,
    version: record.version,
    speaksCairn: record.dialect === "cairn",
    joinTime: record.joinTime,
    uploadPriority: record.uploadPriority,
    storePathCount: record.storePathCount,
    subdirCount: record.subdirCount,
    source: record.source,
    changelogOffset: record.changelogOffset,
    totalMb: record.totalMb,
    freeMb: record.freeMb,
    storePaths: record.storePaths,
    statistics: statisticsOf(record),
    syncTimes: record.syncTimes,
  };
}

/** What a state holds of a storage, in a record without connection. */
export function restoredStorage(
  group: GroupRecord,
  saved: SavedStorage,
  status: StorageStatus,
): StorageRecord {
  group.nextJoinOrder = Math.max(group.nextJoinOrder, saved.joinOrder);
  const { id, addresses, port } = saved;
  const record = newStorageRecord(group, {
    id,
    addresses,
    port,
    mode: readWriteMode.both,
    status,
  });
  record.source = saved.source;
  record.version = saved.version;
  record.dialect = saved.speaksCairn ? "cairn" : "original";
  record.joinTime = saved.joinTime;
  record.uploadPriority = saved.uploadPriority;
  record.storePathCount = saved.storePathCount;
  record.subdirCount = saved.subdirCount;
  record.changelogOffset = saved.changelogOffset;
  record.totalMb = saved.totalMb;
  record.freeMb = saved.freeMb;
  record.storePaths = saved.storePaths;
  record.statistics = saved.statistics;
  record.lastSyncedTimestamp = saved.statistics.lastSyncedTimestamp;
  record.lastHeartBeatTime = saved.statistics.lastHeartBeatTime;
  record.syncTimes = new Map(saved.syncTimes);
  forgetHeld(record);
  return record;
}

const nothingHeld: ReadonlyMap<number, number> = new Map();

function noStatistics(): StorageStatistics {
  const none = { total: 0, success: 0 };
  return {
    connections: { allocated: 0, current: 0, max: 0 },
    uploads: none,
    appends: none,
    modifies: none,
    truncates: none,
    metadataSets: none,
    deletes: none,
    downloads: none,
    metadataGets: none,
    linkCreations: none,
    linkDeletions: none,
    uploadBytes: none,
    appendBytes: none,
    modifyBytes: none,
    downloadBytes: none,
    syncInBytes: none,
    syncOutBytes: none,
    fileOpens: none,
    fileReads: none,
    fileWrites: none,
    lastSourceUpdate: 0,
    lastSyncUpdate: 0,
    lastSyncedTimestamp: 0,
    lastHeartBeatTime: 0,
  };
}
