/** Generated values for the request and the reply of every message, as they may be sent: each field over its whole range. */
import fc from "fast-check";
import type { allMessages } from "#protocol/fastdfs/all-messages.ts";
import { peerWireValues } from "./peer-wire-values.ts";
import {
  address,
  anyGroup,
  anyId,
  bool,
  brief,
  byte,
  bytes,
  changes,
  endpoint,
  few,
  filename,
  group,
  i32,
  i64,
  id,
  ipv4,
  letters,
  name,
  nameCharacters,
  none,
  optional,
  port,
  record,
  type Sides,
  size,
  statuses,
  textOf,
  u32,
  version,
} from "./wire-fields.ts";

const mode = fc.constantFrom(0, 2, 4, 6);
const connections = record({ allocated: i32, current: i32, max: i32 });
const tally = record({ total: i64, success: i64 });
const tallies = [
  ...["uploads", "appends", "modifies", "truncates", "metadataSets", "deletes", "downloads"],
  ...["metadataGets", "linkCreations", "linkDeletions", "uploadBytes", "appendBytes"],
  ...["modifyBytes", "downloadBytes", "syncInBytes", "syncOutBytes", "fileOpens", "fileReads"],
  "fileWrites",
];
const statistics = record({
  connections,
  ...Object.fromEntries(tallies.map((key) => [key, tally])),
  lastSourceUpdate: i64,
  lastSyncUpdate: i64,
  lastSyncedTimestamp: i64,
  lastHeartBeatTime: i64,
});
const location = record({
  storePathIndex: byte,
  high: byte,
  low: byte,
  fileId: u32,
  offset: u32,
  size: u32,
});
const server = record({ addresses: fc.array(address, { minLength: 1, maxLength: 2 }), port });
const stored = record({ group, filename: name });
const file = record({ group: anyGroup, filename: name });
const upload = record({
  storePathIndex: byte,
  fileSize: size,
  extension: textOf(nameCharacters, 0, 6),
});
const groupOnly = record({ group: anyGroup });
const groupAndId = record({ group: anyGroup, id: textOf(letters, 1, 15) });
const query = record({ group: anyGroup, filename: filename(22, 127) });
/** Addresses that fit the fields of both widths. */
const target = { group, address: ipv4, port };
const targets = { group, servers: few(record({ address: ipv4, port }), 1) };
const groupStat = record({
  group,
  ...Object.fromEntries(
    [
      ...["totalMb", "freeMb", "reservedMb", "trunkFreeMb", "storageCount", "storagePort"],
      ...["readableCount", "writableCount", "currentWriteServer", "storePathCount"],
      ...["subdirCount", "currentTrunkFileId"],
    ].map((key) => [key, i64]),
  ),
});
const storageStat = record({
  status: statuses,
  mode,
  id,
  address: ipv4,
  syncSource: optional(id),
  version,
  ...Object.fromEntries(
    [
      ...["joinTime", "upTime", "totalMb", "freeMb", "reservedMb", "uploadPriority"],
      ...["storePathCount", "subdirCount", "currentWritePath", "storagePort"],
    ].map((key) => [key, i64]),
  ),
  statistics,
  isTrunkServer: bool,
});
const filter = (key: string) => ({ [key]: optional(bool) });
const syncReply = record({ sync: optional(record({ source: id, until: i64 })) });
const syncFile = record({
  filename: name,
  headerStatus: byte,
  fileSize: size,
  timestamp: u32,
  group: anyGroup,
});
const syncRange = record({
  filename: name,
  offset: size,
  length: size,
  timestamp: u32,
  group: anyGroup,
});
const silent = { request: none, reply: none };

/** By message. */
export const wireValues: Readonly<Record<keyof typeof allMessages, Sides>> = {
  activeTest: silent,
  quit: silent,
  queryStore: { request: none, reply: record({ ...target, storePathIndex: byte }) },
  queryStoreInGroup: { request: groupOnly, reply: record({ ...target, storePathIndex: byte }) },
  queryStoreAll: { request: none, reply: record({ ...targets, storePathIndex: byte }) },
  queryStoreAllInGroup: {
    request: groupOnly,
    reply: record({ ...targets, storePathIndex: byte }),
  },
  queryFetch: { request: query, reply: record(target) },
  queryUpdate: { request: query, reply: record(target) },
  queryFetchAll: { request: query, reply: record(targets) },
  listOneGroup: { request: groupOnly, reply: groupStat },
  listGroups: { request: none, reply: record({ groups: few(groupStat) }) },
  listStorages: {
    request: record({ group: anyGroup, id: optional(textOf(letters, 1, 15)) }),
    reply: record({ storages: few(storageStat) }),
  },
  deleteStorage: { request: groupAndId, reply: none },
  deleteGroup: { request: groupOnly, reply: none },
  setTrunkServer: {
    request: record({ group: anyGroup, id: optional(textOf(letters, 1, 15)) }),
    reply: record({ id }),
  },
  getLeader: { request: none, reply: record({ leader: endpoint }) },
  trackerClusterStat: {
    request: record({ ...filter("isActive"), ...filter("isLeader") }),
    reply: record({
      trackers: few(
        record({
          endpoint,
          isLeader: bool,
          isActive: bool,
          connections,
          version,
          upTime: i64,
          lastHeartBeatTime: i64,
        }),
      ),
    }),
  },
  storageClusterStat: {
    request: record({
      status: optional(
        record({ operator: fc.constantFrom("is", "is-not", "unknown"), status: byte }),
      ),
      ...filter("isTrunkServer"),
    }),
    reply: record({
      useStorageId: bool,
      useTrunkFile: bool,
      storages: few(
        record({
          id,
          endpoint,
          isTrunkServer: bool,
          status: statuses,
          connections,
          version,
          upTime: i64,
          lastHeartBeatTime: i64,
        }),
      ),
    }),
  },
  storageVolumeStat: {
    request: record({
      ...filter("diskAvailable"),
      ...filter("trunkAvailable"),
      ...filter("spaceAvailable"),
    }),
    reply: record({
      useTrunkFile: bool,
      groups: few(
        record({
          group,
          totalMb: i64,
          freeMb: i64,
          reservedMb: i64,
          availableMb: i64,
          trunkFreeMb: i64,
          diskAvailable: bool,
          trunkAvailable: bool,
        }),
      ),
    }),
  },
  storageJoin: {
    request: record({
      group,
      port,
      storePathCount: fc.integer({ min: 1, max: 256 }),
      subdirCount: fc.integer({ min: 1, max: 256 }),
      uploadPriority: i64,
      joinTime: i64,
      upTime: i64,
      version,
      initializing: bool,
      status: fc.integer({ min: -128, max: 127 }),
      id: optional(id),
      trackerAddress: address,
      trackers: fc.array(server, { minLength: 1, maxLength: 16 }),
    }),
    reply: record({ status: statuses, syncSource: optional(id) }),
  },
  storageBeat: { request: record({ statistics: optional(statistics) }), reply: changes },
  reportDiskUsage: {
    request: record({ storePaths: few(record({ totalMb: i64, freeMb: i64 }), 1) }),
    reply: changes,
  },
  reportSync: {
    request: record({ sources: few(record({ id: anyId, timestamp: u32 }), 1) }),
    reply: changes,
  },
  reportReplicas: { request: record({ members: few(brief, 1) }), reply: none },
  reportStatus: { request: record({ group: anyGroup, storage: brief }), reply: none },
  requestSyncSourceOf: { request: record({ group: anyGroup, id: anyId }), reply: syncReply },
  requestSyncSource: { request: none, reply: syncReply },
  notifySyncSource: { request: record({ source: optional(id), until: i64 }), reply: none },
  querySyncSource: { request: none, reply: syncReply },
  reportIpChanged: {
    request: record({ group: anyGroup, oldAddress: address, newAddress: address }),
    reply: none,
  },
  requestChangelog: {
    request: record({ storage: optional(record({ group: anyGroup, id: anyId })) }),
    reply: record({ lines: fc.string() }),
  },
  reportTrunkFree: { request: record({ freeMb: i64 }), reply: none },
  reportTrunkFileId: { request: record({ fileId: fc.nat(0x7fffffff) }), reply: none },
  fetchTrunkFileId: { request: none, reply: record({ fileId: i32 }) },
  changeStorageStatus: { request: record({ status: statuses }), reply: none },
  ...peerWireValues,
  requestParameters: {
    request: none,
    reply: record({
      parameters: few(fc.tuple(textOf(letters, 1, 20), textOf([...nameCharacters, "="], 0, 20))),
    }),
  },
  getStorageStatus: { request: record({ group: anyGroup, server: endpoint }), reply: brief },
  getStorageId: { request: record({ group: anyGroup, server: endpoint }), reply: record({ id }) },
  getMyIp: {
    request: record({ group, port: optional(i32) }),
    reply: record({ addresses: fc.array(address, { minLength: 1, maxLength: 2 }) }),
  },
  fetchStorageIds: {
    request: record({ startIndex: i32, allowEmpty: optional(bool) }),
    reply: few(
      fc
        .record({ id: fc.integer({ min: 1, max: 0xffffff }), group, server, mode })
        .map((entry) => ({
          ...(entry.server as object),
          id: String(entry.id),
          group: entry.group,
          mode: entry.mode,
        })),
    ).chain((entries) =>
      record({
        totalCount: fc.nat(1000).map((more) => entries.length + more),
        entries: fc.constant(entries),
      }),
    ),
  },
  getGroupName: {
    request: record({ address: optional(address), port: i32 }),
    reply: record({ group }),
  },
  getTrackerStatus: {
    request: none,
    reply: record({ isLeader: bool, runningTime: i64, restartInterval: i64 }),
  },
  getSysFilesStart: silent,
  getOneSysFile: {
    request: record({ fileIndex: byte, offset: size }),
    reply: record({ fileSize: size, content: bytes(0, 100) }),
  },
  getSysFilesEnd: silent,
  joinLeader: { request: record({ upTime: i64, version, port }), reply: none },
  pingLeader: {
    request: record({ connections: optional(connections) }),
    reply: record({ groups: few(record({ group, trunkServer: optional(id) })) }),
  },
  notifyNextLeader: { request: record({ leader: endpoint }), reply: none },
  commitNextLeader: { request: record({ leader: endpoint }), reply: none },
  notifyReselectLeader: silent,
  uploadFile: { request: upload, reply: stored },
  uploadAppenderFile: { request: upload, reply: stored },
  uploadSlaveFile: {
    request: record({
      masterFilename: filename(11, 127),
      fileSize: size,
      prefix: textOf(nameCharacters, 0, 16),
      extension: textOf(nameCharacters, 0, 6),
    }),
    reply: stored,
  },
  appendFile: { request: record({ filename: filename(44, 127), length: size }), reply: none },
  modifyFile: {
    request: record({ filename: filename(44, 127), offset: size, length: size }),
    reply: none,
  },
  truncateFile: { request: record({ filename: filename(44, 127), fileSize: size }), reply: none },
  regenerateAppenderFilename: { request: record({ filename: filename(44, 127) }), reply: stored },
  deleteFile: { request: file, reply: none },
  downloadFile: {
    request: record({ offset: size, length: size, group: anyGroup, filename: name }),
    reply: none,
  },
  queryFileInfo: {
    request: record({ headerStatus: byte, group: anyGroup, filename: name }),
    reply: record({
      fileSize: size,
      modifiedAt: i64,
      crc32: u32,
      sourceAddress: fc.oneof(ipv4, fc.constant("")),
    }),
  },
  createLink: {
    request: record({
      masterFilename: filename(0, 60),
      sourceFilename: filename(1, 127),
      signature: bytes(1, 63),
      group: anyGroup,
      prefix: textOf(nameCharacters, 0, 16),
      extension: textOf(nameCharacters, 0, 6),
    }),
    reply: stored,
  },
  setMetadata: {
    request: record({
      filename: name,
      metadata: bytes(0, 200),
      mode: fc.constantFrom("overwrite", "merge"),
      group: anyGroup,
    }),
    reply: none,
  },
  getMetadata: { request: file, reply: record({ metadata: bytes(0, 200) }) },
  reportServerId: { request: record({ id }), reply: none },
  syncCreateFile: { request: syncFile, reply: none },
  syncUpdateFile: { request: syncFile, reply: none },
  syncDeleteFile: {
    request: record({ timestamp: u32, group: anyGroup, filename: name }),
    reply: none,
  },
  syncCreateLink: {
    request: record({ filename: name, sourceFilename: name, timestamp: u32, group: anyGroup }),
    reply: none,
  },
  syncAppendFile: { request: syncRange, reply: none },
  syncModifyFile: { request: syncRange, reply: none },
  syncTruncateFile: {
    request: record({
      filename: name,
      oldSize: size,
      newSize: size,
      timestamp: u32,
      group: anyGroup,
    }),
    reply: none,
  },
  syncRenameFile: {
    request: record({ filename: name, oldFilename: name, timestamp: u32, group: anyGroup }),
    reply: none,
  },
  fetchOnePathBinlog: { request: record({ group: anyGroup, storePathIndex: byte }), reply: none },
  trunkAllocSpace: {
    request: record({ group: anyGroup, size: fc.nat(0x7fffffff), storePathIndex: byte }),
    reply: location,
  },
  trunkAllocConfirm: {
    request: record({ headerStatus: byte, group: anyGroup, location }),
    reply: none,
  },
  trunkFreeSpace: { request: record({ group: anyGroup, location }), reply: none },
  trunkSyncBinlog: { request: record({ lines: bytes(1, 200) }), reply: none },
  trunkGetBinlogSize: { request: none, reply: record({ size: i64 }) },
  trunkDeleteBinlogMarks: silent,
  trunkTruncateBinlogFile: silent,
};
