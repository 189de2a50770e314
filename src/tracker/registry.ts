/**
 * The groups and storages that the tracker knows. Everything that changes a storage's status goes through `apply`, where each
 * transition is logged once, the group's lists follow, and the change is marked for the state and for the members. Main thread.
 */
import { assert } from "#base/assert.ts";
import type { Log } from "#base/log.ts";
import type { GroupName } from "#model/group-name.ts";
import type { StorageId } from "#model/storage-id.ts";
import {
  readWriteMode,
  type StorageStatus,
  storageStatus,
  storageStatusCaption,
} from "#model/storage-status.ts";
import type { Clock } from "#platform/clock.ts";
import { nowSeconds } from "#platform/clock.ts";
import type { Changelog, ChangelogEvent } from "#tracker/changelog.ts";
import {
  type GroupRecord,
  newGroupRecord,
  reindexStorages,
  relistStorages,
  retotalGroup,
} from "#tracker/group-record.ts";
import type { GroupShape } from "#tracker/join-plan.ts";
import { maxGroups, maxStoragesPerGroup } from "#tracker/limits.ts";
import { type GroupRules, mostFreeGroup } from "#tracker/routing/choose-group.ts";
import { effectiveServerRule, type ServerRule } from "#tracker/routing/choose-server.ts";
import type { StateWriter } from "#tracker/state-writer.ts";
import { idOfAddress, type StorageIdentity } from "#tracker/storage-identity.ts";
import {
  isAvailable,
  isGone,
  type Refusal,
  refusalOf,
  type StorageInput,
  transition,
} from "#tracker/storage-machine.ts";
import {
  forgetHeld,
  newStorageRecord,
  resetStorageRecord,
  type StorageRecord,
} from "#tracker/storage-record.ts";
import type { TrackerSettings } from "#tracker/tracker-settings.ts";
import type { ChangelogLine } from "#tracker/tracker-state.ts";

export interface RegistryParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly writer: StateWriter;
  readonly changelog: Changelog;
}

export class Registry {
  readonly #parts: RegistryParts;
  readonly #serverRule: ServerRule;
  readonly #groupRules: GroupRules;
  readonly #byName = new Map<string, GroupRecord>();
  #groups: readonly GroupRecord[] = [];
  /** Index of the group from which the next choice starts. */
  currentWriteGroup = 0;
  #hasWideAddress: boolean;

  constructor(settings: TrackerSettings, parts: RegistryParts) {
    this.#parts = parts;
    this.#hasWideAddress =
      settings.storageIds?.some((entry) => entry.addresses.some(isWide)) ?? false;
    const trunkEnabled = settings.trunk.enabled;
    this.#serverRule = effectiveServerRule(settings.storeServer, trunkEnabled);
    const { storeLookup, reservedSpace } = settings;
    this.#groupRules = { storeLookup, reservedSpace, trunkEnabled };
  }

  /** By name, bytewise. */
  get groups(): readonly GroupRecord[] {
    return this.#groups;
  }

  /** True once a storage with an IPv6 address is known, by the storage ids file or because it joined. */
  get hasWideAddress(): boolean {
    return this.#hasWideAddress;
  }

  get changelog(): Changelog {
    return this.#parts.changelog;
  }

  group(name: string): GroupRecord | undefined {
    return this.#byName.get(name);
  }

  /** The group of that name, made if need be; undefined where there are too many. */
  groupFor(name: GroupName): GroupRecord | undefined {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (this.#groups.length >= maxGroups) return undefined;
    const group = newGroupRecord(name);
    this.insertGroup(group);
    this.#parts.writer.groupChanged(group);
    this.#parts.log.notice("group-added", { group: name });
    return group;
  }

  /** For groups that come from the state, with their storages. */
  insertGroup(group: GroupRecord): void {
    this.#byName.set(group.name, group);
    this.#resortGroups();
    this.#reindex(group, group.storages);
    relistStorages(group, this.#serverRule);
  }

  /** Forgets every group; what follows comes from another tracker. Nobody has joined. */
  clear(changelog: readonly ChangelogLine[]): void {
    this.#byName.clear();
    this.#resortGroups();
    this.#parts.changelog.replace(changelog);
  }

  /** Only for groups that no record refers to. */
  removeGroup(group: GroupRecord): void {
    this.#byName.delete(group.name);
    this.#resortGroups();
    this.#parts.writer.groupRemoved(group);
    this.#parts.log.notice("group-removed", { group: group.name });
  }

  /** Enters a storage that the group does not know yet, and has a place for; the machine has not refused its join. */
  admit(
    group: GroupRecord,
    identity: StorageIdentity,
    input: Extract<StorageInput, { name: "join" }>,
  ): StorageRecord {
    assert(group.storages.length < maxStoragesPerGroup, "the group has a place for a storage");
    const { id, addresses, port, mode } = identity;
    const storage = newStorageRecord(group, {
      id,
      addresses,
      port,
      mode,
      status: storageStatus.none,
    });
    this.#reindex(group, [...group.storages, storage]);
    const refusal = this.apply(storage, input);
    assert(refusal === undefined, "the join was tried before");
    return storage;
  }

  /** Enters a storage of which only its peers have told so far; it is away until it joins. */
  admitReported(group: GroupRecord, identity: StorageIdentity, status: StorageStatus): void {
    if (group.storages.length >= maxStoragesPerGroup) return;
    const { id, addresses, port, mode } = identity;
    const storage = newStorageRecord(group, { id, addresses, port, mode, status });
    storage.changelogOffset = this.#parts.changelog.end;
    this.#reindex(group, [...group.storages, storage]);
    group.membersVersion += 1;
    this.#parts.writer.storageChanged(storage, "membership");
    this.#statusChanged(storage, storageStatus.none, "reported");
  }

  /** Runs the status machine and carries out what it says. */
  apply(storage: StorageRecord, input: StorageInput): Refusal | undefined {
    const before = { status: storage.status, source: storage.source };
    const { state, effects } = transition(before, input);
    for (const effect of effects) {
      switch (effect.name) {
        case "refuse":
          return effect.why;
        case "announce":
          storage.group.membersVersion += 1;
          break;
        case "tell-anew":
          storage.membersTold = -1;
          storage.trunkServerTold = 0;
          break;
        case "changelog-from-end":
          storage.changelogOffset = this.#parts.changelog.end;
          break;
        case "reset-record":
          resetStorageRecord(storage);
          break;
      }
    }
    storage.status = state.status;
    storage.source = state.source;
    if (before.status !== state.status) this.#statusChanged(storage, before.status, input.name);
    const kind =
      survives(before.status) === survives(state.status) && before.source === state.source
        ? "statistics"
        : "membership";
    if (effects.length > 0 || kind === "membership") {
      this.#parts.writer.storageChanged(storage, kind);
    }
    return undefined;
  }

  /** Marks a storage deleted: its peers forget it, and it comes back by a join only. */
  delete(storage: StorageRecord): Refusal | undefined {
    const refusal = this.apply(storage, { name: "delete" });
    if (refusal !== undefined) return refusal;
    const { group, id } = storage;
    for (const other of group.storages) {
      if (other.source?.id === id) this.apply(other, { name: "source-gone" });
    }
    if (group.trunkServer === id) this.setTrunkServer(group, undefined);
    this.record({ name: "deleted", group: group.name, id });
    return undefined;
  }

  /** The record goes on under a new address; one that marks the old address as given up stays behind. */
  move(storage: StorageRecord, newAddress: string): Refusal | "too-many" | undefined {
    const { group, id: oldId, addresses: oldAddresses } = storage;
    if (group.storages.length >= maxStoragesPerGroup) return "too-many";
    const before = { status: storage.status, source: storage.source };
    const refusal = refusalOf(before, { name: "address-given-up" });
    if (refusal !== undefined) return refusal;
    storage.id = idOfAddress(newAddress);
    storage.addresses = [newAddress];
    const marker = newStorageRecord(group, {
      id: oldId,
      addresses: oldAddresses,
      port: storage.port,
      mode: readWriteMode.both,
      status: storageStatus.ipChanged,
    });
    group.formerIds.set(oldId, storage.id);
    this.#reindex(group, [...group.storages, marker]);
    relistStorages(group, this.#serverRule);
    group.membersVersion += 1;
    for (const other of group.storages) {
      const arrived = other.syncTimes.get(oldId);
      if (other.source?.id !== oldId && arrived === undefined) continue;
      if (other.source?.id === oldId) other.source = { id: storage.id, until: other.source.until };
      if (arrived !== undefined) other.syncTimes.set(storage.id, arrived);
      other.syncTimes.delete(oldId);
      this.#parts.writer.storageChanged(other, "membership");
    }
    this.#parts.writer.storageRenamed(storage, oldId);
    this.record({ name: "moved", group: group.name, id: oldId, newAddress });
    this.#parts.log.notice("storage-moved", { group: group.name, from: oldId, to: storage.id });
    return undefined;
  }

  /** After a change of addresses, port, mode or priority, which do not go through `apply`. */
  identityChanged(storage: StorageRecord): void {
    const { group } = storage;
    this.#reindex(group, group.storages);
    relistStorages(group, this.#serverRule);
    group.membersVersion += 1;
    this.#parts.writer.storageChanged(storage, "membership");
  }

  /** Takes over what a join makes of the group. */
  reshape(group: GroupRecord, shape: GroupShape): void {
    const same =
      group.storagePort === shape.storagePort &&
      group.storePathCount === shape.storePathCount &&
      group.subdirCount === shape.subdirCount;
    if (same) return;
    group.storagePort = shape.storagePort;
    group.storePathCount = shape.storePathCount;
    group.subdirCount = shape.subdirCount;
    this.#reindex(group, group.storages);
    this.#parts.writer.groupChanged(group);
  }

  /** After a storage reported its space. */
  spaceChanged(storage: StorageRecord): void {
    retotalGroup(storage.group);
    this.#parts.writer.storageChanged(storage, "statistics");
    this.chooseWriteGroup();
  }

  /** Where the rule is "most-free": after disk reports, trunk reports and changes of a group's lists. */
  chooseWriteGroup(): void {
    if (this.#groupRules.storeLookup !== "most-free") return;
    this.currentWriteGroup = mostFreeGroup(this.#groups, this.#groupRules);
  }

  setTrunkServer(group: GroupRecord, id: StorageId | undefined): void {
    if (group.trunkServer === id) return;
    if (group.trunkServer !== undefined) group.lastTrunkServer = group.trunkServer;
    group.trunkServer = id;
    group.trunkServerVersion += 1;
    this.#parts.writer.groupChanged(group);
    this.#parts.log.notice("trunk-server", { group: group.name, storage: id ?? "none" });
  }

  /** Adds a line to the changelog. */
  record(event: ChangelogEvent): void {
    const { changelog, clock, writer } = this.#parts;
    const line = changelog.append(event, nowSeconds(clock));
    writer.changelogGrew(line, changelog.start);
  }

  #statusChanged(storage: StorageRecord, from: StorageStatus, why: string): void {
    const { group, id, status } = storage;
    if (!isAvailable(storage) && isAvailable({ status: from })) {
      if (storage.session === undefined) storage.upTime = 0;
      forgetHeld(storage);
    }
    relistStorages(group, this.#serverRule);
    this.chooseWriteGroup();
    this.#parts.log.notice("storage-status", {
      group: group.name,
      storage: id,
      from: storageStatusCaption(from),
      to: storageStatusCaption(status),
      why,
    });
  }

  #reindex(group: GroupRecord, storages: readonly StorageRecord[]): void {
    reindexStorages(group, storages);
    this.#hasWideAddress ||= storages.some((storage) => storage.addresses.some(isWide));
  }

  #resortGroups(): void {
    this.#groups = [...this.#byName.values()].sort((one, other) =>
      one.name < other.name ? -1 : 1,
    );
    this.chooseWriteGroup();
  }
}

function isWide(address: string): boolean {
  return address.includes(":");
}

/** What of a status is left after a restart: all those of a storage that has been filled are one (protocol §5.5). */
function survives(status: StorageStatus): StorageStatus {
  const { init, waitSync, syncing, deleted, offline, none } = storageStatus;
  if (isGone({ status })) return deleted;
  return status === init || status === waitSync || status === syncing || status === none
    ? status
    : offline;
}
