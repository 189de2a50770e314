/**
 * What storages tell trackers, and ask them about their own group (protocol §2.4). "Joined" messages are valid on a connection
 * that completed `storageJoin` only. Times in Unix seconds, sizes in MB of 2^20 bytes.
 */
import { formatServerEndpoint, parseServerEndpoint, type ServerEndpoint } from "#model/endpoint.ts";
import type { GroupName } from "#model/group-name.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { Codec } from "#protocol/codec.ts";
import {
  constantLength,
  flag,
  i8,
  i32,
  i64,
  list,
  optionalTail,
  ranged,
  restText,
  struct,
  u32,
} from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import { changeReport } from "#protocol/fastdfs/change-report.ts";
import {
  type StorageStatistics,
  statisticsSize,
  storageStatistics,
} from "#protocol/fastdfs/statistics.ts";
import {
  groupName,
  groupText,
  lines,
  optionalStorageId,
  peerAddress,
  port,
  status,
  storageBrief,
  storageId,
  storageIdText,
  version,
} from "#protocol/fields.ts";
import { message, nothing } from "#protocol/message.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

const maxTrackers = 16;
const maxMembers = 32;
const maxStorePaths = 256;

/** A storage introduces itself on the connection that it will report on. */
export interface JoinRequest {
  readonly group: GroupName;
  readonly port: number;
  readonly storePathCount: number;
  readonly subdirCount: number;
  readonly uploadPriority: number;
  readonly joinTime: number;
  readonly upTime: number;
  readonly version: string;
  /** True until the first sync has been settled. */
  readonly initializing: boolean;
  /** What the storage thinks of itself; −1 where it does not know. */
  readonly status: number;
  /** Only where storage ids are in use. */
  readonly id: StorageId | undefined;
  /** The address under which the storage knows this tracker. */
  readonly trackerAddress: string;
  /** Every tracker that the storage knows, 1 to 16. */
  readonly trackers: readonly ServerEndpoint[];
}

const joinFields = struct({
  group: groupName(17),
  port,
  storePathCount: ranged(i64, 1, maxStorePaths),
  subdirCount: ranged(i64, 1, 256),
  uploadPriority: i64,
  joinTime: i64,
  upTime: i64,
  version,
  initializing: flag,
  status: i8,
  id: optionalStorageId,
  trackerAddress: peerAddress,
  trackerCount: ranged(i64, 1, maxTrackers),
  trackers: lines({ parse: (line) => parseServerEndpoint(line), format: formatServerEndpoint }),
});

const joinRequest: Codec<JoinRequest> = {
  encode: (value, writer, context) =>
    joinFields.encode({ ...value, trackerCount: value.trackers.length }, writer, context),
  decode(reader, context) {
    const { trackerCount, ...value } = joinFields.decode(reader, context);
    if (trackerCount === value.trackers.length) return value;
    const found = value.trackers.length;
    throw new ProtocolError("invalid", `${trackerCount} trackers announced, ${found} follow`);
  },
};

/** Who is to fill a new storage, and with what: files stored up to `until`. */
const syncSource = struct({ source: storageId, until: i64 });

/** Enter the group (on a fresh connection), and learn one's status and sync source. */
export const storageJoin = message({
  name: "storageJoin",
  command: commands.storageJoin,
  request: joinRequest,
  reply: constantLength(17, struct({ status, syncSource: optionalStorageId })),
});

/** Joined: still here. With statistics when one changed since the last beat. */
export const storageBeat = message({
  name: "storageBeat",
  command: commands.storageBeat,
  request: struct({
    statistics: optionalTail<StorageStatistics>(constantLength(statisticsSize, storageStatistics)),
  }),
  reply: changeReport,
});

/** Joined: the space of every store path of the group's count. */
export const reportDiskUsage = message({
  name: "reportDiskUsage",
  command: commands.reportDiskUsage,
  request: struct({
    storePaths: list(struct({ totalMb: i64, freeMb: i64 }), { min: 1, max: maxStorePaths }),
  }),
  reply: changeReport,
});

/** Joined: up to which of its timestamps each peer's files have arrived here; 0 = unknown. */
export const reportSync = message({
  name: "reportSync",
  command: commands.reportSync,
  request: struct({
    sources: list(struct({ id: storageIdText, timestamp: u32 }), { min: 1 }),
  }),
  reply: changeReport,
});

/** Joined: the storage's view of its group, where the tracker's differs. */
export const reportReplicas = message({
  name: "reportReplicas",
  command: commands.reportReplicas,
  request: struct({ members: list(storageBrief, { min: 1, max: maxMembers }) }),
  reply: nothing,
});

/** The status of one storage, told by its sync source or by itself. */
export const reportStatus = message({
  name: "reportStatus",
  command: commands.reportStatus,
  request: struct({ group: groupText, storage: storageBrief }),
  reply: nothing,
});

/** Who fills this storage? Asked by those who are about to push files to it. */
export const requestSyncSourceOf = message({
  name: "requestSyncSourceOf",
  command: commands.requestSyncSourceOf,
  request: struct({ group: groupText, id: storageIdText }),
  reply: struct({ sync: optionalTail(syncSource) }),
});

/** Joined: who fills me? Nothing in reply: nobody needs to. */
export const requestSyncSource = message({
  name: "requestSyncSource",
  command: commands.requestSyncSource,
  request: nothing,
  reply: struct({ sync: optionalTail(syncSource) }),
});

/** Joined: what another tracker answered to `requestSyncSource`. */
export const notifySyncSource = message({
  name: "notifySyncSource",
  command: commands.notifySyncSource,
  request: struct({ source: optionalStorageId, until: i64 }),
  reply: nothing,
});

/** Joined: who is on record as my sync source? */
export const querySyncSource = message({
  name: "querySyncSource",
  command: commands.querySyncSource,
  request: nothing,
  reply: struct({ sync: optionalTail(syncSource) }),
});

/** A storage without storage id has another address now. */
export const reportIpChanged = message({
  name: "reportIpChanged",
  command: commands.reportIpChanged,
  request: struct({ group: groupText, oldAddress: peerAddress, newAddress: peerAddress }),
  reply: nothing,
});

/** The next part of the changelog; on a joined connection the storage need not name itself. */
export const requestChangelog = message({
  name: "requestChangelog",
  command: commands.requestChangelog,
  request: struct({ storage: optionalTail(struct({ group: groupText, id: storageIdText })) }),
  reply: struct({ lines: restText() }),
});

/** Joined, trunk server: free trunk space of the group in MB. */
export const reportTrunkFree = message({
  name: "reportTrunkFree",
  command: commands.reportTrunkFree,
  request: struct({ freeMb: i64 }),
  reply: nothing,
});

/** Joined, trunk server: the number of the newest trunk file. */
export const reportTrunkFileId = message({
  name: "reportTrunkFileId",
  command: commands.reportTrunkFileId,
  request: struct({ fileId: ranged(i32, 0, 0x7fffffff) }),
  reply: nothing,
});

/** Joined: the number of the group's newest trunk file. */
export const fetchTrunkFileId = message({
  name: "fetchTrunkFileId",
  command: commands.fetchTrunkFileId,
  request: nothing,
  reply: struct({ fileId: i32 }),
});

/** Joined: what the leading tracker thinks of my status, told to a follower that thinks otherwise. */
export const changeStorageStatus = message({
  name: "changeStorageStatus",
  command: commands.changeStorageStatus,
  request: struct({ status }),
  reply: nothing,
});

export const trackerReports = {
  storageJoin,
  storageBeat,
  reportDiskUsage,
  reportSync,
  reportReplicas,
  reportStatus,
  requestSyncSourceOf,
  requestSyncSource,
  notifySyncSource,
  querySyncSource,
  reportIpChanged,
  requestChangelog,
  reportTrunkFree,
  reportTrunkFileId,
  fetchTrunkFileId,
  changeStorageStatus,
} as const;
