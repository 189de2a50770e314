/**
 * One group in the tracker's memory: its storages sorted by id, the lists that routing needs, and where round robin stands.
 * `Registry` calls the functions here after every change of a storage's status, identity or mode. Satisfies the routing rules'
 * `GroupView`. Main thread.
 */
import type { GroupName } from "#model/group-name.ts";
import { numericStorageId, type StorageId } from "#model/storage-id.ts";
import { isReadable, isWritable, storageStatus } from "#model/storage-status.ts";
import { type ServerRule, storeServer } from "#tracker/routing/choose-server.ts";
import { groupTotals } from "#tracker/routing/group-totals.ts";
import { addressKey } from "#tracker/routing/name-facts.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import type { SavedGroup } from "#tracker/tracker-state.ts";

/** The storages of the group listen on different ports. */
export const differentPorts = -1;

export interface GroupRecord {
  readonly name: GroupName;
  /** 0 while unknown, −1 where the storages differ. */
  storagePort: number;
  storePathCount: number;
  subdirCount: number;
  totalMb: number;
  freeMb: number;
  trunkFreeMb: number;
  currentWriteServer: number;
  currentReadServer: number;
  currentTrunkFileId: number;
  trunkServer: StorageId | undefined;
  lastTrunkServer: StorageId | undefined;
  /** By id, bytewise; those that are deleted or moved too. */
  storages: readonly StorageRecord[];
  readable: readonly StorageRecord[];
  writable: readonly StorageRecord[];
  /** Stands for the group where one storage has to (protocol §9.2). */
  storeServer: StorageRecord | undefined;
  /** Finds the source of a file by what its name says (`NameFacts.sourceKey`). */
  sources: ReadonlyMap<number, StorageRecord>;
  byId: ReadonlyMap<string, StorageRecord>;
  /** Grow with each change that the members are told of; C storages complain of news about a trunk server that never was. */
  membersVersion: number;
  trunkServerVersion: number;
  nextJoinOrder: number;
}

export function newGroupRecord(name: GroupName): GroupRecord {
  return {
    name,
    storagePort: 0,
    storePathCount: 0,
    subdirCount: 0,
    totalMb: 0,
    freeMb: 0,
    trunkFreeMb: 0,
    currentWriteServer: 0,
    currentReadServer: 0,
    currentTrunkFileId: 0,
    trunkServer: undefined,
    lastTrunkServer: undefined,
    storages: [],
    readable: [],
    writable: [],
    storeServer: undefined,
    sources: new Map(),
    byId: new Map(),
    membersVersion: 0,
    trunkServerVersion: 0,
    nextJoinOrder: 0,
  };
}

/** To be called when storages were added, or changed their id, addresses or port. */
export function reindexStorages(group: GroupRecord, storages: readonly StorageRecord[]): void {
  const sorted = [...storages].sort((one, other) => (one.id < other.id ? -1 : 1));
  group.storages = sorted;
  group.byId = new Map(sorted.map((storage) => [storage.id, storage]));
  group.sources = sourceKeys(sorted, group.storagePort);
}

/** To be called when a storage's status, mode or priority changed. */
export function relistStorages(group: GroupRecord, rule: ServerRule): void {
  const active = group.storages.filter((storage) => storage.status === storageStatus.active);
  group.readable = active.filter((storage) => isReadable(storage.mode));
  group.writable = active.filter((storage) => isWritable(storage.mode));
  group.storeServer = storeServer(group.writable, rule);
  retotalGroup(group);
}

/** To be called when a storage's space changed. */
export function retotalGroup(group: GroupRecord): void {
  const totals = groupTotals(group.writable);
  if (totals === undefined) return;
  group.totalMb = totals.totalMb;
  group.freeMb = totals.freeMb;
}

export function savedGroup(group: GroupRecord): SavedGroup {
  return {
    name: group.name,
    storagePort: group.storagePort,
    storePathCount: group.storePathCount,
    subdirCount: group.subdirCount,
    currentTrunkFileId: group.currentTrunkFileId,
    trunkServer: group.trunkServer,
    lastTrunkServer: group.lastTrunkServer,
  };
}

/** Names carry a number or an IPv4 address; where storages share an address, that of the group's port is meant (§6.7). */
function sourceKeys(
  storages: readonly StorageRecord[],
  groupPort: number,
): ReadonlyMap<number, StorageRecord> {
  const keys = new Map<number, StorageRecord>();
  for (const storage of storages) {
    for (const address of storage.addresses) {
      const key = addressKey(address);
      if (key === undefined) continue;
      if (!keys.has(key) || storage.port === groupPort) keys.set(key, storage);
    }
  }
  for (const storage of storages) {
    const number = numericStorageId(storage.id);
    if (number !== undefined) keys.set(number, storage);
  }
  return keys;
}
