/**
 * What of the tracker survives a restart, in the tracker's own words. `tracker-table.ts` keeps it in SQLite, and the system
 * files of C are another form of the same (`system-files.ts`).
 */
import type { GroupName } from "#model/group-name.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { StorageStatus } from "#model/storage-status.ts";
import type { Durability } from "#platform/databases.ts";
import type { StorageStatistics } from "#protocol/fastdfs/statistics.ts";
import type { Space } from "#tracker/routing/views.ts";
import type { SyncSource } from "#tracker/storage-machine.ts";

export interface SavedGroup {
  readonly name: GroupName;
  /** 0 while unknown, −1 where the storages of the group differ. */
  readonly storagePort: number;
  readonly storePathCount: number;
  readonly subdirCount: number;
  readonly currentTrunkFileId: number;
  readonly trunkServer: StorageId | undefined;
  readonly lastTrunkServer: StorageId | undefined;
}

export interface SavedStorage {
  readonly group: GroupName;
  readonly id: StorageId;
  /** Storages of a group are listed in this order in C's files; unique in the group. */
  readonly joinOrder: number;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly status: StorageStatus;
  readonly version: string;
  /** It said that it is one of ours (`protocol/peer/trunk-lease.ts`). */
  readonly speaksCairn: boolean;
  readonly joinTime: number;
  readonly uploadPriority: number;
  readonly storePathCount: number;
  readonly subdirCount: number;
  readonly source: SyncSource | undefined;
  readonly changelogOffset: number;
  readonly totalMb: number;
  readonly freeMb: number;
  readonly storePaths: readonly Space[];
  /** The tracker's own last synced timestamp and last heart beat are in it. */
  readonly statistics: StorageStatistics;
  /** Up to which timestamp each source's files have arrived here. */
  readonly syncTimes: ReadonlyMap<StorageId, number>;
}

export interface ChangelogLine {
  /** Bytes in front of it since the first line ever. */
  readonly position: number;
  /** With its line feed. */
  readonly text: string;
}

export interface SavedTimes {
  /** Start of the process that wrote last; 0 if none did. */
  readonly upTime: number;
  /** When that process last noted that it is alive; 0 if none did. */
  readonly lastCheckTime: number;
}

export interface SavedTracker {
  readonly groups: readonly SavedGroup[];
  /** Without those that are deleted or were moved to another address. */
  readonly storages: readonly SavedStorage[];
  readonly changelog: readonly ChangelogLine[];
  readonly times: SavedTimes;
}

/** What is different from before. Saving it twice does no harm. */
export interface TrackerChanges {
  readonly groups: readonly SavedGroup[];
  readonly removedGroups: readonly GroupName[];
  readonly storages: readonly SavedStorage[];
  readonly removedStorages: readonly { readonly group: GroupName; readonly id: StorageId }[];
  readonly changelog: readonly ChangelogLine[];
  /** Lines in front of this position are of no more use. */
  readonly changelogFrom: number;
  readonly times: SavedTimes | undefined;
}

export interface TrackerState {
  load(): SavedTracker;
  /** All of it or nothing; throws when it cannot be written. */
  save(changes: TrackerChanges, durability: Durability): void;
  /** Everything but the times is this from now on; flushed. All of it or nothing; throws when it cannot be written. */
  replace(saved: Omit<SavedTracker, "times">): void;
}

export const nothingSaved: SavedTracker = {
  groups: [],
  storages: [],
  changelog: [],
  times: { upTime: 0, lastCheckTime: 0 },
};

/**
 * Starts an empty state from what another tracker left, such as a C tracker's data directory. False, and nothing changed, when
 * the state knows groups already.
 */
export function adoptSavedTracker(state: TrackerState, saved: SavedTracker): boolean {
  if (state.load().groups.length > 0) return false;
  const { groups, storages, changelog, times } = saved;
  const removed = { removedGroups: [], removedStorages: [], changelogFrom: 0 };
  state.save({ groups, storages, changelog, times, ...removed }, "flushed");
  return true;
}
