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
import { isGone } from "#tracker/storage-machine.ts";
import { clientMode, type StorageRecord } from "#tracker/storage-record.ts";
import type { SavedGroup } from "#tracker/tracker-state.ts";
import { type LeaseTerm, newLeaseTerm } from "#tracker/trunk-lease.ts";

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
  /** Under which id a storage goes on that had another one: its files keep the old one in their names. */
  readonly formerIds: Map<StorageId, StorageId>;
  byId: ReadonlyMap<string, StorageRecord>;
  /** Grow with each change that the members are told of; C storages complain of news about a trunk server that never was. */
  membersVersion: number;
  trunkServerVersion: number;
  nextJoinOrder: number;
  readonly leaseTerm: LeaseTerm;
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
    formerIds: new Map(),
    byId: new Map(),
    membersVersion: 0,
    trunkServerVersion: 0,
    nextJoinOrder: 0,
    leaseTerm: newLeaseTerm(),
  };
}

/** To be called when storages were added, or changed their id, addresses or port. */
export function reindexStorages(group: GroupRecord, storages: readonly StorageRecord[]): void {
  const sorted = [...storages].sort((one, other) => (one.id < other.id ? -1 : 1));
  group.storages = sorted;
  group.byId = new Map(sorted.map((storage) => [storage.id, storage]));
  group.sources = sourceKeys(group);
}

/** To be called when a storage's status, mode or priority changed. */
export function relistStorages(group: GroupRecord, rule: ServerRule): void {
  const active = group.storages.filter((storage) => storage.status === storageStatus.active);
  group.readable = active.filter((storage) => isReadable(clientMode(storage)));
  group.writable = active.filter((storage) => isWritable(clientMode(storage)));
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

/**
 * Names carry a number or an IPv4 address; where storages share an address, that of the group's port is meant (§6.7). An address that was
 * given up means who has it now, or who had it.
 */
function sourceKeys(group: GroupRecord): ReadonlyMap<number, StorageRecord> {
  const { storages, storagePort, formerIds } = group;
  const keys = new Map<number, StorageRecord>();
  for (const [oldId] of formerIds) {
    const now = successor(group, oldId);
    if (now === undefined) continue;
    for (const key of keysOfId(group, oldId)) keys.set(key, now);
  }
  for (const storage of storages) {
    if (storage.status === storageStatus.ipChanged && formerIds.has(storage.id)) continue;
    for (const key of addressKeys(storage)) {
      const known = keys.get(key);
      const own = known !== undefined && addressKeys(known).includes(key);
      if (!own || storage.port === storagePort) keys.set(key, storage);
    }
  }
  for (const storage of storages) {
    const number = numericStorageId(storage.id);
    if (number !== undefined) keys.set(number, storage);
  }
  return keys;
}

/** All ways in which names carry a source, also of one that is not a member any more. */
export function keysOfId(group: GroupRecord, id: string): readonly number[] {
  const storage = group.byId.get(id);
  const key = numericStorageId(id) ?? addressKey(id);
  const own = key === undefined ? [] : [key];
  return storage === undefined ? own : [...own, ...addressKeys(storage)];
}

function successor(group: GroupRecord, oldId: StorageId): StorageRecord | undefined {
  let id: StorageId | undefined = oldId;
  // A storage may have gone back to an address that it had.
  for (let steps = 0; id !== undefined && steps <= group.formerIds.size; steps += 1) {
    const storage = group.byId.get(id);
    if (storage !== undefined && !isGone(storage)) return storage;
    id = group.formerIds.get(id);
  }
  return undefined;
}

function addressKeys(storage: StorageRecord): readonly number[] {
  return storage.addresses.flatMap((address) => addressKey(address) ?? []);
}
