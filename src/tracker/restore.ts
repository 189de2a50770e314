/** Builds the tracker's memory from its state (protocol §5.5): whatever was active is away until it joins again. */
import type { Log } from "#base/log.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import type { Clock } from "#platform/clock.ts";
import { type GroupRecord, newGroupRecord } from "#tracker/group-record.ts";
import type { Registry } from "#tracker/registry.ts";
import { groupTotals } from "#tracker/routing/group-totals.ts";
import type { StorageIdTable } from "#tracker/storage-identity.ts";
import { isGone } from "#tracker/storage-machine.ts";
import { restoredStorage, type StorageRecord } from "#tracker/storage-record.ts";
import type { SavedGroup, SavedStorage, SavedTracker } from "#tracker/tracker-state.ts";

export interface RestoreParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly storageIds: StorageIdTable | undefined;
}

/** Storages that the storage ids file does not name any more stay in the state, but out of the memory. */
export function restoreGroups(registry: Registry, saved: SavedTracker, parts: RestoreParts): void {
  const moves = registry.changelog.moves();
  for (const each of saved.groups) {
    const group = restoredGroup(each);
    const members = saved.storages
      .filter((storage) => storage.group === each.name)
      .sort((one, other) => one.joinOrder - other.joinOrder);
    group.storages = members.flatMap((member) => restored(group, member, parts) ?? []);
    // Until one of them is active again, the space is what they had.
    const totals = groupTotals(group.storages);
    group.totalMb = totals?.totalMb ?? 0;
    group.freeMb = totals?.freeMb ?? 0;
    for (const { from, to } of moves.filter((move) => move.group === each.name)) {
      group.formerIds.set(from, to);
    }
    registry.insertGroup(group);
  }
}

function restored(
  group: GroupRecord,
  saved: SavedStorage,
  parts: RestoreParts,
): StorageRecord | undefined {
  if (isGone(saved)) return undefined;
  const record = restoredStorage(group, saved, statusAfterRestart(saved.status));
  // A trunk server that is back soon keeps its role.
  record.heardAtMs = parts.clock.monotonicMs();
  if (parts.storageIds === undefined) return record;
  const entry = parts.storageIds.byId(saved.id);
  if (entry === undefined || entry.group !== group.name) {
    parts.log.warn("storage-not-in-ids-file", { group: group.name, storage: saved.id });
    return undefined;
  }
  record.addresses = entry.addresses;
  record.mode = entry.mode;
  return record;
}

/** Nobody has been heard yet; what is being filled goes on being filled. */
export function statusAfterRestart(status: StorageStatus): StorageStatus {
  const { init, waitSync, syncing, offline } = storageStatus;
  return status === init || status === waitSync || status === syncing ? status : offline;
}

function restoredGroup(saved: SavedGroup): GroupRecord {
  const group = newGroupRecord(saved.name);
  group.storagePort = saved.storagePort;
  group.storePathCount = saved.storePathCount;
  group.subdirCount = saved.subdirCount;
  group.currentTrunkFileId = saved.currentTrunkFileId;
  group.trunkServer = saved.trunkServer;
  group.lastTrunkServer = saved.lastTrunkServer;
  group.trunkServerVersion = saved.trunkServer === undefined ? 0 : 1;
  return group;
}
