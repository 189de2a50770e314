/** What monitors and operators ask a tracker, and tell it (protocol §2.3). Texts that name something may name what is unknown. */
import { isStorageId, type StorageId } from "#model/storage-id.ts";
import type { Codec } from "#protocol/codec.ts";
import {
  constantLength,
  optionalTail,
  refined,
  restText,
  restTextToNul,
  struct,
} from "#protocol/codecs.ts";
import { commands } from "#protocol/commands.ts";
import {
  storageClusterStat,
  storageVolumeStat,
  trackerClusterStat,
} from "#protocol/fastdfs/cluster-stat.ts";
import { type GroupStat, groupStats, storageStats } from "#protocol/fastdfs/monitoring.ts";
import { endpointText, groupText, groupWidth } from "#protocol/fields.ts";
import { message, nothing } from "#protocol/message.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

const group = constantLength(groupWidth, struct({ group: groupText }));
const idText = restText(1, 15);

const oneGroup: Codec<GroupStat> = {
  encode: (value, writer, context) => groupStats.encode([value], writer, context),
  decode(reader, context) {
    const [only, ...more] = groupStats.decode(reader, context);
    if (only === undefined || more.length > 0) {
      throw new ProtocolError("invalid", "not exactly one group");
    }
    return only;
  },
};

/** One group in numbers. */
export const listOneGroup = message({
  name: "listOneGroup",
  command: commands.listOneGroup,
  request: group,
  reply: oneGroup,
});

/** All groups in numbers, by name. */
export const listGroups = message({
  name: "listGroups",
  command: commands.listGroups,
  request: nothing,
  reply: struct({ groups: groupStats }),
});

/** The storages of a group in numbers, by id; or one of them. */
export const listStorages = message({
  name: "listStorages",
  command: commands.listStorages,
  request: struct({ group: groupText, id: optionalTail(idText) }),
  reply: struct({ storages: storageStats }),
});

/** Forget a storage that is away. */
export const deleteStorage = message({
  name: "deleteStorage",
  command: commands.deleteStorage,
  request: struct({ group: groupText, id: idText }),
  reply: nothing,
});

/** Forget a group without storages. */
export const deleteGroup = message({
  name: "deleteGroup",
  command: commands.deleteGroup,
  request: group,
  reply: nothing,
});

const trunkServerId: Codec<StorageId> = refined(restTextToNul(true), {
  what: "a storage id",
  parse: (raw) => (isStorageId(raw) ? raw : undefined),
  format: (value) => value,
});

/** Make a storage the trunk server of its group, or ask which one is. */
export const setTrunkServer = message({
  name: "setTrunkServer",
  command: commands.setTrunkServer,
  request: struct({ group: groupText, id: optionalTail(idText) }),
  reply: struct({ id: trunkServerId }),
});

/** Which tracker leads? */
export const getLeader = message({
  name: "getLeader",
  command: commands.getLeader,
  request: nothing,
  reply: struct({ leader: endpointText }),
});

export const trackerAdmin = {
  listOneGroup,
  listGroups,
  listStorages,
  deleteStorage,
  deleteGroup,
  setTrunkServer,
  getLeader,
  trackerClusterStat,
  storageClusterStat,
  storageVolumeStat,
} as const;
