/** What joined storages report as they live: beats, space, sync, status, trunk files (protocol §2.4). */
import { isIpAddress } from "#model/ip-address.ts";
import { readWriteMode, type StorageStatus, storageStatus } from "#model/storage-status.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import { nowSeconds } from "#platform/clock.ts";
import type { ChangeReport } from "#protocol/fastdfs/change-report.ts";
import type { trackerReports } from "#protocol/fastdfs/tracker-reports.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { changesFor } from "#tracker/change-reporter.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { joinAfterCatchUp, throwRefusal } from "#tracker/handlers/join.ts";
import { syncSourceHandlers } from "#tracker/handlers/sync-sources.ts";
import { noteSilence } from "#tracker/handlers/trunk-leases.ts";
import { mostFreePath } from "#tracker/routing/choose-store-path.ts";
import type { Space } from "#tracker/routing/views.ts";
import { storableSize } from "#tracker/storable.ts";
import { idOfAddress, type StorageIdentity } from "#tracker/storage-identity.ts";
import { isAvailable, isGone } from "#tracker/storage-machine.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import { syncedTimestamp } from "#tracker/synced-timestamp.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import {
  invalid,
  joinedStorage,
  notFound,
  type TrackerFacts,
  type TrackerSession,
} from "#tracker/tracker-facts.ts";

type Reports = Handlers<typeof trackerReports, TrackerFacts>;

export function reportHandlers(core: TrackerCore): Reports {
  return {
    ...syncSourceHandlers(core),
    ...trunkHandlers(core),
    ...lifeSignHandlers(core),
    ...viewHandlers(core),
    storageJoin: (request, session) => joinAfterCatchUp(core, request, session),
    requestChangelog: ({ storage: named }, session) => {
      const { registry, writer } = core;
      const storage =
        named === undefined
          ? joinedStorage(session)
          : registry.group(named.group)?.byId.get(named.id);
      if (storage === undefined) throw notFound("unknown storage");
      const { text, next } = registry.changelog.read(storage.changelogOffset);
      if (next !== storage.changelogOffset) {
        storage.changelogOffset = next;
        writer.storageChanged(storage, "membership");
      }
      return { lines: text };
    },
  };
}

/** What a storage tells of itself again and again; the answers carry what changed. */
function lifeSignHandlers(
  core: TrackerCore,
): Pick<Reports, "storageBeat" | "reportDiskUsage" | "reportSync"> {
  const { registry, writer, clock } = core;
  const changes = (storage: StorageRecord, session: TrackerSession): ChangeReport =>
    changesFor(storage, session, core.leadership);
  return {
    storageBeat: ({ statistics }, session) => {
      const storage = joinedStorage(session);
      noteSilence(core, storage, session);
      storage.lastHeartBeatTime = nowSeconds(clock);
      storage.heardAtMs = clock.monotonicMs();
      registry.apply(storage, { name: "heard" });
      // Nothing is written for a beat that brings no news: disks of a cluster at rest may sleep.
      if (statistics !== undefined) {
        storage.statistics = statistics;
        writer.storageChanged(storage, "statistics");
      }
      return changes(storage, session);
    },
    reportDiskUsage: ({ storePaths }, session) => {
      const storage = joinedStorage(session);
      // C insists on the group's count, which leaves a storage with more paths without space.
      const { length } = storePaths;
      if (length !== storage.group.storePathCount && length !== storage.storePathCount) {
        throw invalid(`${length} store paths reported`);
      }
      const isNew = takeSpace(core, storage, storePaths);
      registry.apply(storage, { name: "heard" });
      if (isNew) registry.spaceChanged(storage);
      return changes(storage, session);
    },
    reportSync: ({ sources }, session) => {
      const storage = joinedStorage(session);
      const { byId } = storage.group;
      const counted: number[] = [];
      for (const { id, timestamp } of sources) {
        const source = byId.get(id);
        if (timestamp === 0 || source?.status !== storageStatus.active) continue;
        counted.push(timestamp);
        if (storage.syncTimes.get(source.id) === timestamp) continue;
        storage.syncTimes.set(source.id, timestamp);
        writer.storageChanged(storage, "statistics");
      }
      storage.lastSyncedTimestamp = syncedTimestamp(
        storage.lastSyncedTimestamp,
        counted,
        core.settings.storeServer,
      );
      return changes(storage, session);
    },
  };
}

/** What storages think of each other and of themselves. */
function viewHandlers(
  core: TrackerCore,
): Pick<Reports, "reportReplicas" | "reportStatus" | "changeStorageStatus" | "reportIpChanged"> {
  const { registry } = core;
  return {
    reportReplicas: ({ members }, session) => {
      const storage = joinedStorage(session);
      if (core.leadership.isLeader) noteContradictions(session, storage, members);
      else for (const member of members) mergeMember(core, storage.group, member);
      return undefined;
    },
    reportStatus: ({ group: name, storage: member }) => {
      const group = registry.group(name);
      if (group === undefined) throw notFound("unknown group");
      mergeMember(core, group, member);
      return undefined;
    },
    changeStorageStatus: ({ status }, session) => {
      throwRefusal(registry.apply(joinedStorage(session), { name: "told", status }));
      return undefined;
    },
    reportIpChanged: (request, session) => {
      moveStorage(core, request, session);
      return undefined;
    },
  };
}

function trunkHandlers(
  core: TrackerCore,
): Pick<Reports, "reportTrunkFree" | "reportTrunkFileId" | "fetchTrunkFileId"> {
  const { registry, writer } = core;
  return {
    // C refuses these from whom it does not know as trunk server, which makes that one join anew each second (§2.4/74).
    reportTrunkFree: ({ freeMb }, session) => {
      joinedStorage(session).group.trunkFreeMb = storableSize(freeMb);
      registry.chooseWriteGroup();
      return undefined;
    },
    reportTrunkFileId: ({ fileId }, session) => {
      const { group } = joinedStorage(session);
      if (fileId > group.currentTrunkFileId) {
        group.currentTrunkFileId = fileId;
        writer.groupChanged(group);
      }
      return undefined;
    },
    fetchTrunkFileId: (_request, session) => ({
      fileId: joinedStorage(session).group.currentTrunkFileId,
    }),
  };
}

/** False when it is what the storage reported before. */
function takeSpace(core: TrackerCore, storage: StorageRecord, reported: readonly Space[]): boolean {
  const before = storage.storePaths;
  storage.storePaths = reported.map(({ totalMb, freeMb }) => ({
    totalMb: storableSize(totalMb),
    freeMb: storableSize(freeMb),
  }));
  const same = (path: Space, at: number): boolean =>
    before[at]?.totalMb === path.totalMb && before[at]?.freeMb === path.freeMb;
  if (before.length === reported.length && storage.storePaths.every(same)) return false;
  storage.totalMb = storableSize(sum(storage.storePaths.map((path) => path.totalMb)));
  storage.freeMb = storableSize(sum(storage.storePaths.map((path) => path.freeMb)));
  if (core.settings.storePath === "most-free") {
    storage.currentWritePath = mostFreePath(storage.storePaths, storage.currentWritePath);
  }
  return true;
}

/** One entry of another storage's view (protocol §2.4/85). */
function mergeMember(core: TrackerCore, group: GroupRecord, member: StorageBrief): void {
  const { registry } = core;
  const known = group.byId.get(member.id);
  if (known !== undefined) {
    registry.apply(known, { name: "reported", status: member.status });
    return;
  }
  const identity = reportedIdentity(core, group, member);
  if (identity === undefined || !mayAppear(member.status)) return;
  registry.admitReported(group, identity, member.status);
}

/** A storage that nobody has seen join may be away or being filled, but neither gone nor available. */
function mayAppear(status: StorageStatus): boolean {
  return !isGone({ status }) && !isAvailable({ status }) && status !== storageStatus.none;
}

function reportedIdentity(
  core: TrackerCore,
  group: GroupRecord,
  member: StorageBrief,
): StorageIdentity | undefined {
  const { id, address } = member;
  const port = member.port === 0 ? group.storagePort : member.port;
  if (core.storageIds !== undefined) {
    const entry = core.storageIds.byId(id);
    return entry?.group === group.name ? entry : undefined;
  }
  if (!isIpAddress(address) || idOfAddress(address) !== id || port < 1) return undefined;
  return { id, group: group.name, addresses: [address], port, mode: readWriteMode.both };
}

function moveStorage(
  core: TrackerCore,
  request: { readonly group: string; readonly oldAddress: string; readonly newAddress: string },
  session: TrackerSession,
): void {
  if (core.storageIds !== undefined) {
    throw new WireStatusError(wireStatus.notSupported, "storages are known by their ids");
  }
  if (request.newAddress !== session.remoteAddress) throw invalid("not the peer's address");
  const group = core.registry.group(request.group);
  if (group === undefined) throw notFound("unknown group");
  const storage = group.storages.find((each) => each.addresses[0] === request.oldAddress);
  if (storage === undefined) throw notFound("unknown storage");
  if (group.storages.some((each) => each.addresses[0] === request.newAddress)) {
    throw new WireStatusError(wireStatus.exists, "the new address is known");
  }
  const refusal = core.registry.move(storage, request.newAddress);
  if (refusal === "too-many") throw new WireStatusError(wireStatus.noSpace, "too many storages");
  throwRefusal(refusal);
}

/**
 * A C storage which saw a peer active before that one was deleted and joined anew clings to the higher status, and would never
 * fill it. It takes "offline" for an active one, and "to be filled" for an offline one; so it is told these, one after the other.
 */
function noteContradictions(
  session: TrackerSession,
  storage: StorageRecord,
  members: readonly StorageBrief[],
): void {
  for (const { id, status } of members) {
    const known = storage.group.byId.get(id);
    if (known?.status !== storageStatus.waitSync || !isAvailable({ status })) continue;
    session.facts.contradicted.add(known.id);
    storage.membersTold = -1;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
