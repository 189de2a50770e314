/** A tracker's registry without sockets and files: a clock that stands still, a state that keeps what it is given. */
import { present } from "#base/assert.ts";
import { Log, type LogRecord } from "#base/log.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, type StorageStatus, storageStatus } from "#model/storage-status.ts";
import type { Clock } from "#platform/clock.ts";
import type { Durability } from "#platform/databases.ts";
import { Changelog } from "#tracker/changelog.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { Registry } from "#tracker/registry.ts";
import { StateWriter } from "#tracker/state-writer.ts";
import type { StorageIdentity } from "#tracker/storage-identity.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import { defaultTrackerSettings, type TrackerSettings } from "#tracker/tracker-settings.ts";
import {
  nothingSaved,
  type SavedTracker,
  type TrackerChanges,
  type TrackerState,
} from "#tracker/tracker-state.ts";

export class StillClock implements Clock {
  seconds = 1_700_000_000;
  nowMs = (): number => this.seconds * 1000;
  monotonicMs = (): number => this.seconds * 1000;
  after = (): { cancel(): void } => ({ cancel: () => {} });
  every = (): { cancel(): void } => ({ cancel: () => {} });
}

export class RecordingState implements TrackerState {
  readonly saves: { readonly changes: TrackerChanges; readonly durability: Durability }[] = [];
  broken = false;
  readonly #saved: SavedTracker;

  constructor(saved: SavedTracker = nothingSaved) {
    this.#saved = saved;
  }

  load(): SavedTracker {
    return this.#saved;
  }

  save(changes: TrackerChanges, durability: Durability): void {
    if (this.broken) throw new Error("the disk is full");
    this.saves.push({ changes, durability });
  }

  replace({ groups, storages, changelog }: Omit<SavedTracker, "times">): void {
    const removed = { removedGroups: [], removedStorages: [], changelogFrom: 0, times: undefined };
    this.save({ groups, storages, changelog, ...removed }, "flushed");
  }
}

export interface RegistryHarness {
  readonly clock: StillClock;
  readonly state: RecordingState;
  readonly writer: StateWriter;
  readonly registry: Registry;
  readonly log: Log;
  readonly records: LogRecord[];
}

export function registryHarness(settings: Partial<TrackerSettings> = {}): RegistryHarness {
  const records: LogRecord[] = [];
  const log = new Log("tracker", (record) => records.push(record));
  const clock = new StillClock();
  const state = new RecordingState();
  const writer = new StateWriter(state, log);
  const changelog = new Changelog([]);
  const whole = { ...defaultTrackerSettings, ...settings };
  const registry = new Registry(whole, { clock, log, writer, changelog });
  return { clock, state, writer, registry, log, records };
}

/** A storage of `group1`, known by its address, ACTIVE unless another status is wanted. */
export function addStorage(
  registry: Registry,
  address: string,
  given: { readonly status?: StorageStatus; readonly group?: string } = {},
): StorageRecord {
  const { status = storageStatus.active, group = "group1" } = given;
  const record = registry.admit(groupOf(registry, group), identityOf(address, group), {
    name: "join",
    initializing: status === storageStatus.init,
    reported: storageStatus.active,
  });
  if (status === storageStatus.active) registry.apply(record, { name: "heard" });
  if (status === storageStatus.offline) registry.apply(record, { name: "connection-lost" });
  return record;
}

export function groupOf(registry: Registry, name = "group1"): GroupRecord {
  return present(registry.groupFor(GroupName(name)), "a place for a group");
}

export function identityOf(address: string, group = "group1"): StorageIdentity {
  return {
    id: StorageId(address),
    group: GroupName(group),
    addresses: [address],
    port: 23000,
    mode: readWriteMode.both,
  };
}
