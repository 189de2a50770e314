/** What monitors and operators ask of a tracker, and tell it (protocol §2.3). */
import { describeError } from "#base/app-error.ts";
import type { StorageId } from "#model/storage-id.ts";
import { isWritable, storageStatus } from "#model/storage-status.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import type { GroupStat, StorageStat } from "#protocol/fastdfs/monitoring.ts";
import type { trackerAdmin } from "#protocol/fastdfs/tracker-admin.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { clusterStatHandlers } from "#tracker/handlers/cluster-stats.ts";
import { throwRefusal } from "#tracker/handlers/join.ts";
import { addressFor } from "#tracker/requester-address.ts";
import { reservedMb } from "#tracker/routing/reserved-space.ts";
import { clientMode, type StorageRecord, statisticsOf } from "#tracker/storage-record.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import { notFound, type TrackerFacts } from "#tracker/tracker-facts.ts";

export function adminHandlers(core: TrackerCore): Handlers<typeof trackerAdmin, TrackerFacts> {
  const { registry, leadership } = core;
  return {
    ...clusterStatHandlers(core),
    listOneGroup: ({ group }) => groupStat(core, knownGroup(core, group)),
    listGroups: () => ({ groups: registry.groups.map((group) => groupStat(core, group)) }),
    listStorages: ({ group: name, id }, session) => {
      const group = knownGroup(core, name);
      const storages = id === undefined ? group.storages : [knownStorage(group, id)];
      return {
        storages: storages.map((each) => storageStat(core, each, session.remoteAddress)),
      };
    },
    deleteStorage: ({ group, id }) => {
      throwRefusal(registry.delete(knownStorage(knownGroup(core, group), id)));
      return undefined;
    },
    deleteGroup: ({ group: name }) => {
      const group = knownGroup(core, name);
      if (group.storages.length > 0) {
        throw new WireStatusError(wireStatus.busy, "the group has storages");
      }
      registry.removeGroup(group);
      return undefined;
    },
    setTrunkServer: async ({ group, id }) => {
      if (!leadership.isLeader || !core.settings.trunk.enabled) {
        throw new WireStatusError(wireStatus.notSupported, "not the leader, or no trunk files");
      }
      return { id: await trunkServerOf(core, knownGroup(core, group), id) };
    },
    getLeader: (_request, session) => {
      const leader = leadership.endpointFor(session);
      if (leader === "none") throw notFound("no leader");
      return { leader };
    },
  };
}

/** The record of LIST_ONE_GROUP and LIST_ALL_GROUPS. */
export function groupStat(core: TrackerCore, group: GroupRecord): GroupStat {
  const { reservedSpace, trunk } = core.settings;
  return {
    group: group.name,
    totalMb: group.totalMb,
    freeMb: group.freeMb,
    reservedMb: reservedMb(group.totalMb, reservedSpace),
    trunkFreeMb: group.trunkFreeMb,
    storageCount: group.storages.length,
    storagePort: group.storagePort,
    readableCount: group.readable.length,
    writableCount: group.writable.length,
    currentWriteServer: group.currentWriteServer,
    storePathCount: group.storePathCount,
    subdirCount: group.subdirCount,
    currentTrunkFileId: trunk.enabled ? group.currentTrunkFileId : -1,
  };
}

/** The record of LIST_STORAGE. */
export function storageStat(
  core: TrackerCore,
  storage: StorageRecord,
  requesterAddress: string,
): StorageStat {
  return {
    status: storage.status,
    mode: clientMode(storage),
    id: storage.id,
    address: addressFor(storage.addresses, requesterAddress),
    syncSource: storage.source?.id,
    version: storage.version,
    joinTime: storage.joinTime,
    upTime: storage.upTime,
    totalMb: storage.totalMb,
    freeMb: storage.freeMb,
    reservedMb: reservedMb(storage.totalMb, core.settings.reservedSpace),
    uploadPriority: storage.uploadPriority,
    storePathCount: storage.storePathCount,
    subdirCount: storage.subdirCount,
    currentWritePath: storage.currentWritePath,
    storagePort: storage.port,
    statistics: statisticsOf(storage),
    isTrunkServer: storage.group.trunkServer === storage.id,
  };
}

function knownGroup(core: TrackerCore, name: string): GroupRecord {
  const group = core.registry.group(name);
  if (group === undefined) throw notFound("unknown group");
  return group;
}

function knownStorage(group: GroupRecord, id: string): StorageRecord {
  const storage = group.byId.get(id);
  if (storage === undefined) throw notFound("unknown storage");
  return storage;
}

async function trunkServerOf(
  core: TrackerCore,
  group: GroupRecord,
  wanted: string | undefined,
): Promise<StorageId> {
  const { active } = storageStatus;
  const current = group.trunkServer === undefined ? undefined : group.byId.get(group.trunkServer);
  const isThere = current?.status === active;
  if (wanted === undefined) {
    if (isThere) return current.id;
    const elected = await core.trunkElection.elect(group);
    if (elected === undefined) throw notFound("no storage can become trunk server");
    return elected;
  }
  if (isThere) {
    const same = current.id === wanted;
    throw new WireStatusError(
      same ? wireStatus.alreadyDone : wireStatus.exists,
      `${current.id} is the trunk server`,
    );
  }
  const storage = knownStorage(group, wanted);
  if (storage.status !== active) {
    throw new WireStatusError(wireStatus.notOnNetwork, "the storage is not active");
  }
  if (!isWritable(clientMode(storage))) {
    throw new WireStatusError(wireStatus.accessDenied, "the storage does not take uploads");
  }
  try {
    await core.trunkElection.install(storage);
  } catch (error) {
    const why = describeError(error);
    core.log.warn("trunk-server-not-set", { group: group.name, storage: storage.id, why });
    throw new WireStatusError(wireStatus.connectionRefused, why);
  }
  return storage.id;
}
