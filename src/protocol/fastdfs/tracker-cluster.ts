/** What trackers tell each other: system files for the newcomer, and the election of a leader (protocol §2.5, §9.7). */
import { flag, i64, list, optionalTail, restBytes, size, struct, u8 } from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import {
  connectionCounts,
  endpointText,
  groupName,
  optionalStorageId,
  port,
  version,
} from "#protocol/fields.ts";
import { message, nothing } from "#protocol/message.ts";

/** The files of command 63 by their index. */
export const systemFiles = [
  "storage_groups_new.dat",
  "storage_servers_new.dat",
  "storage_sync_timestamp.dat",
  "storage_changelog.dat",
] as const;

/** Bytes of a system file in one reply, at most. */
export const maxSystemFilePart = 8173;

/** How is the other tracker placed for leadership? Times in seconds, multiples of 300. */
export const getTrackerStatus = message({
  name: "getTrackerStatus",
  command: commands.getTrackerStatus,
  request: nothing,
  reply: struct({ isLeader: flag, runningTime: i64, restartInterval: i64 }),
});

/** Save the system files and hold them still until `getSysFilesEnd`, or until the connection closes. */
export const getSysFilesStart = message({
  name: "getSysFilesStart",
  command: commands.getSysFilesStart,
  request: nothing,
  reply: nothing,
});

/** Part of a system file, from an offset on. */
export const getOneSysFile = message({
  name: "getOneSysFile",
  command: commands.getOneSysFile,
  request: struct({ fileIndex: u8, offset: size }),
  reply: struct({ fileSize: size, content: restBytes() }),
});

export const getSysFilesEnd = message({
  name: "getSysFilesEnd",
  command: commands.getSysFilesEnd,
  request: nothing,
  reply: nothing,
});

/** A follower introduces itself to the leader, once on the connection of its pings. */
export const joinLeader = message({
  name: "joinLeader",
  command: commands.joinLeader,
  request: struct({ upTime: i64, version, port }),
  reply: nothing,
});

/** A follower is still here; the leader tells the trunk servers of all groups, if one changed. */
export const pingLeader = message({
  name: "pingLeader",
  command: commands.pingLeader,
  request: struct({ connections: optionalTail(connectionCounts) }),
  reply: struct({
    groups: list(struct({ group: groupName(16), trunkServer: optionalStorageId })),
  }),
});

/** First phase of an election: this tracker is to lead. */
export const notifyNextLeader = message({
  name: "notifyNextLeader",
  command: commands.notifyNextLeader,
  request: struct({ leader: endpointText }),
  reply: nothing,
});

/** Second phase: it leads. */
export const commitNextLeader = message({
  name: "commitNextLeader",
  command: commands.commitNextLeader,
  request: struct({ leader: endpointText }),
  reply: nothing,
});

/** A storage to a leader: another tracker leads as well, elect again. */
export const notifyReselectLeader = message({
  name: "notifyReselectLeader",
  command: commands.notifyReselectLeader,
  request: nothing,
  reply: nothing,
});

export const trackerCluster = {
  getTrackerStatus,
  getSysFilesStart,
  getOneSysFile,
  getSysFilesEnd,
  joinLeader,
  pingLeader,
  notifyNextLeader,
  commitNextLeader,
  notifyReselectLeader,
} as const;
