/** The overviews of the whole cluster (protocol §2.3, commands 96 to 98). */
import type { Handlers } from "#net/frame-handlers.ts";
import { nowSeconds } from "#platform/clock.ts";
import type { StorageFilter } from "#protocol/fastdfs/cluster-stat.ts";
import type { trackerAdmin } from "#protocol/fastdfs/tracker-admin.ts";
import type { ReplyOf } from "#protocol/message.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { followerSilenceSeconds } from "#tracker/limits.ts";
import { addressFor } from "#tracker/requester-address.ts";
import { groupHasRoom, reservedMb } from "#tracker/routing/reserved-space.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import type { TrackerFacts, TrackerSession } from "#tracker/tracker-facts.ts";

type Admin = Handlers<typeof trackerAdmin, TrackerFacts>;
type TrackerLine = ReplyOf<typeof trackerAdmin.trackerClusterStat>["trackers"][number];
type StorageLine = ReplyOf<typeof trackerAdmin.storageClusterStat>["storages"][number];
type VolumeLine = ReplyOf<typeof trackerAdmin.storageVolumeStat>["groups"][number];

export function clusterStatHandlers(
  core: TrackerCore,
): Pick<Admin, "trackerClusterStat" | "storageClusterStat" | "storageVolumeStat"> {
  const { settings, registry } = core;
  const trunkEnabled = settings.trunk.enabled;
  return {
    trackerClusterStat: ({ isActive, isLeader }, session) => {
      if (!core.leadership.isLeader) {
        throw new WireStatusError(wireStatus.notSupported, "this tracker does not lead");
      }
      const trackers = trackerLines(core, session).filter(
        (line) =>
          (isActive === undefined || line.isActive === isActive) &&
          (isLeader === undefined || line.isLeader === isLeader),
      );
      return { trackers };
    },
    storageClusterStat: (filter, session) => ({
      useStorageId: core.storageIds !== undefined,
      useTrunkFile: trunkEnabled,
      storages: registry.groups
        .flatMap((group) => group.storages)
        .filter((storage) => storageMatches(storage, filter, trunkEnabled))
        .map((storage) => storageLine(storage, session.remoteAddress)),
    }),
    storageVolumeStat: ({ diskAvailable, trunkAvailable, spaceAvailable }) => ({
      useTrunkFile: trunkEnabled,
      groups: registry.groups
        .map((group) => volumeLine(core, group))
        .filter(
          (line) =>
            (diskAvailable === undefined || line.diskAvailable === diskAvailable) &&
            (trunkAvailable === undefined || line.trunkAvailable === trunkAvailable) &&
            (spaceAvailable === undefined ||
              (line.diskAvailable || line.trunkAvailable) === spaceAvailable),
        ),
    }),
  };
}

function trackerLines(core: TrackerCore, session: TrackerSession): readonly TrackerLine[] {
  const { current, peak } = core.connections();
  const now = nowSeconds(core.clock);
  const own: TrackerLine = {
    endpoint: core.leadership.ownEndpointFor(session),
    isLeader: true,
    isActive: true,
    connections: { allocated: peak, current, max: peak },
    version: core.settings.wireVersion,
    upTime: core.startedAt,
    lastHeartBeatTime: 0,
  };
  const others = core.leadership.others.map((entry): TrackerLine => {
    const follower = [...core.leadership.followers.values()].find(
      ({ endpoint }) => endpoint.port === entry.port && entry.addresses.includes(endpoint.address),
    );
    const lastPing = follower?.lastPingTime ?? 0;
    return {
      endpoint: {
        address: addressFor(entry.addresses, session.remoteAddress),
        port: entry.port,
      },
      isLeader: false,
      isActive: now - lastPing <= followerSilenceSeconds,
      connections: follower?.connections ?? { allocated: 0, current: 0, max: 0 },
      version: follower?.version ?? "",
      upTime: follower?.upTime ?? 0,
      lastHeartBeatTime: lastPing,
    };
  });
  return [own, ...others];
}

function storageMatches(
  storage: StorageRecord,
  filter: StorageFilter,
  trunkEnabled: boolean,
): boolean {
  const { status, isTrunkServer } = filter;
  if (trunkEnabled && isTrunkServer !== undefined) {
    if ((storage.group.trunkServer === storage.id) !== isTrunkServer) return false;
  }
  if (status === undefined) return true;
  if (status.operator === "unknown") return false;
  return (storage.status === status.status) === (status.operator === "is");
}

function storageLine(storage: StorageRecord, requesterAddress: string): StorageLine {
  const address = addressFor(storage.addresses, requesterAddress);
  return {
    id: storage.id,
    endpoint: { address, port: storage.port },
    isTrunkServer: storage.group.trunkServer === storage.id,
    status: storage.status,
    connections: storage.statistics.connections,
    version: storage.version,
    upTime: storage.upTime,
    lastHeartBeatTime: storage.lastHeartBeatTime,
  };
}

function volumeLine(core: TrackerCore, group: GroupRecord): VolumeLine {
  const { reservedSpace, trunk } = core.settings;
  const reserved = reservedMb(group.totalMb, reservedSpace);
  const diskAvailable = groupHasRoom(group, reservedSpace);
  const trunkAvailable = trunk.enabled && groupHasRoom(group, reservedSpace, group.trunkFreeMb);
  return {
    group: group.name,
    totalMb: group.totalMb,
    freeMb: group.freeMb,
    reservedMb: reserved,
    availableMb: diskAvailable ? Math.max(0, group.freeMb - reserved) : 0,
    trunkFreeMb: trunkAvailable ? group.trunkFreeMb : 0,
    diskAvailable,
    trunkAvailable,
  };
}
