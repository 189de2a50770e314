/** The tracker's part of the state database. All SQL of the tracker is here, prepared once. Main thread. */
import { assert } from "#base/assert.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { isStorageStatus } from "#model/storage-status.ts";
import type { Database, Durability, SqlRow, Statement } from "#platform/databases.ts";
import { narrowAddresses, WireReader, WireWriter } from "#protocol/codec.ts";
import { type StorageStatistics, storageStatistics } from "#protocol/fastdfs/statistics.ts";
import type { Space } from "#tracker/routing/views.ts";
import type {
  ChangelogLine,
  SavedGroup,
  SavedStorage,
  SavedTimes,
  SavedTracker,
  TrackerChanges,
  TrackerState,
} from "#tracker/tracker-state.ts";

interface GroupRow extends SqlRow {
  readonly name: string;
  readonly storage_port: number;
  readonly store_path_count: number;
  readonly subdir_count: number;
  readonly current_trunk_file_id: number;
  readonly trunk_server: string | null;
  readonly last_trunk_server: string | null;
}

interface StorageRow extends SqlRow {
  readonly group_name: string;
  readonly id: string;
  readonly join_order: number;
  readonly addresses: string;
  readonly port: number;
  readonly status: number;
  readonly version: string;
  readonly speaks_cairn: number;
  readonly join_time: number;
  readonly upload_priority: number;
  readonly store_path_count: number;
  readonly subdir_count: number;
  readonly sync_source: string | null;
  readonly sync_until: number;
  readonly changelog_offset: number;
  readonly total_mb: number;
  readonly free_mb: number;
  readonly store_paths: string;
  readonly statistics: Uint8Array;
}

interface SyncTimeRow extends SqlRow {
  readonly group_name: string;
  readonly source: string;
  readonly destination: string;
  readonly timestamp: number;
}

interface TimeRow extends SqlRow {
  readonly name: string;
  readonly seconds: number;
}

interface LineRow extends SqlRow {
  readonly position: number;
  readonly line: string;
}

/** Total and free MB of each store path, in one JSON text. */
type PathPairs = readonly (readonly [number, number])[];

export class TrackerTable implements TrackerState {
  readonly #database: Database;
  readonly #groups: Statement<GroupRow>;
  readonly #storages: Statement<StorageRow>;
  readonly #syncTimes: Statement<SyncTimeRow>;
  readonly #changelog: Statement<LineRow>;
  readonly #times: Statement<TimeRow>;
  readonly #putGroup: Statement;
  readonly #dropGroup: Statement;
  readonly #putStorage: Statement;
  readonly #dropStorage: Statement;
  readonly #putSyncTime: Statement;
  readonly #dropSyncTimesTo: Statement;
  readonly #dropSyncTimesFrom: Statement;
  readonly #putLine: Statement;
  readonly #dropLines: Statement;
  readonly #putTime: Statement;
  readonly #clear: readonly Statement[];

  /** `database` has the newest layout. */
  constructor(database: Database) {
    this.#database = database;
    this.#groups = database.prepare("SELECT * FROM tracker_groups ORDER BY name");
    this.#storages = database.prepare(
      "SELECT * FROM tracker_storages ORDER BY group_name, join_order",
    );
    this.#syncTimes = database.prepare("SELECT * FROM tracker_sync_times");
    this.#changelog = database.prepare("SELECT * FROM tracker_changelog ORDER BY position");
    this.#times = database.prepare("SELECT * FROM tracker_times");
    this.#putGroup = database.prepare(
      `INSERT OR REPLACE INTO tracker_groups (name, storage_port, store_path_count, subdir_count,
        current_trunk_file_id, trunk_server, last_trunk_server) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#dropGroup = database.prepare("DELETE FROM tracker_groups WHERE name = ?");
    this.#putStorage = database.prepare(
      `INSERT OR REPLACE INTO tracker_storages (group_name, id, join_order, addresses, port, status,
        version, join_time, upload_priority, store_path_count, subdir_count, sync_source, sync_until,
        changelog_offset, total_mb, free_mb, store_paths, statistics, speaks_cairn)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#dropStorage = database.prepare(
      "DELETE FROM tracker_storages WHERE group_name = ? AND id = ?",
    );
    this.#putSyncTime = database.prepare(
      `INSERT OR REPLACE INTO tracker_sync_times (group_name, source, destination, timestamp)
        VALUES (?, ?, ?, ?)`,
    );
    this.#dropSyncTimesTo = database.prepare(
      "DELETE FROM tracker_sync_times WHERE group_name = ? AND destination = ?",
    );
    this.#dropSyncTimesFrom = database.prepare(
      "DELETE FROM tracker_sync_times WHERE group_name = ? AND source = ?",
    );
    this.#putLine = database.prepare(
      "INSERT OR REPLACE INTO tracker_changelog (position, line) VALUES (?, ?)",
    );
    this.#dropLines = database.prepare("DELETE FROM tracker_changelog WHERE position < ?");
    this.#clear = [
      database.prepare("DELETE FROM tracker_groups"),
      database.prepare("DELETE FROM tracker_storages"),
      database.prepare("DELETE FROM tracker_sync_times"),
      database.prepare("DELETE FROM tracker_changelog"),
    ];
    this.#putTime = database.prepare(
      "INSERT OR REPLACE INTO tracker_times (name, seconds) VALUES (?, ?)",
    );
  }

  load(): SavedTracker {
    const syncTimes = this.#syncTimes.all();
    return {
      groups: this.#groups.all().map(groupOf),
      storages: this.#storages.all().map((row) => storageOf(row, syncTimes)),
      changelog: this.#changelog
        .all()
        .map((row): ChangelogLine => ({ position: row.position, text: row.line })),
      times: timesOf(this.#times.all()),
    };
  }

  save(changes: TrackerChanges, durability: Durability): void {
    this.#database.transaction(durability, () => {
      for (const name of changes.removedGroups) this.#dropGroup.run(name);
      for (const { group, id } of changes.removedStorages) this.#removeStorage(group, id);
      for (const group of changes.groups) this.#saveGroup(group);
      for (const storage of changes.storages) this.#saveStorage(storage);
      for (const line of changes.changelog) this.#putLine.run(line.position, line.text);
      if (changes.changelogFrom > 0) this.#dropLines.run(changes.changelogFrom);
      if (changes.times !== undefined) {
        this.#putTime.run("up", changes.times.upTime);
        this.#putTime.run("last-check", changes.times.lastCheckTime);
      }
    });
  }

  replace({ groups, storages, changelog }: Omit<SavedTracker, "times">): void {
    this.#database.transaction("flushed", () => {
      for (const statement of this.#clear) statement.run();
      for (const group of groups) this.#saveGroup(group);
      for (const storage of storages) this.#saveStorage(storage);
      for (const line of changelog) this.#putLine.run(line.position, line.text);
    });
  }

  #saveGroup(group: SavedGroup): void {
    this.#putGroup.run(
      group.name,
      group.storagePort,
      group.storePathCount,
      group.subdirCount,
      group.currentTrunkFileId,
      group.trunkServer ?? null,
      group.lastTrunkServer ?? null,
    );
  }

  #saveStorage(storage: SavedStorage): void {
    const { group, id, source, syncTimes } = storage;
    const pairs: PathPairs = storage.storePaths.map((path) => [path.totalMb, path.freeMb]);
    this.#putStorage.run(
      group,
      id,
      storage.joinOrder,
      storage.addresses.join(","),
      storage.port,
      storage.status,
      storage.version,
      storage.joinTime,
      storage.uploadPriority,
      storage.storePathCount,
      storage.subdirCount,
      source?.id ?? null,
      source?.until ?? 0,
      storage.changelogOffset,
      storage.totalMb,
      storage.freeMb,
      JSON.stringify(pairs),
      encodeStatistics(storage.statistics),
      storage.speaksCairn ? 1 : 0,
    );
    this.#dropSyncTimesTo.run(group, id);
    for (const [from, timestamp] of syncTimes) this.#putSyncTime.run(group, from, id, timestamp);
  }

  #removeStorage(group: GroupName, id: StorageId): void {
    this.#dropStorage.run(group, id);
    this.#dropSyncTimesTo.run(group, id);
    this.#dropSyncTimesFrom.run(group, id);
  }
}

function groupOf(row: GroupRow): SavedGroup {
  return {
    name: GroupName(row.name),
    storagePort: row.storage_port,
    storePathCount: row.store_path_count,
    subdirCount: row.subdir_count,
    currentTrunkFileId: row.current_trunk_file_id,
    trunkServer: row.trunk_server === null ? undefined : StorageId(row.trunk_server),
    lastTrunkServer: row.last_trunk_server === null ? undefined : StorageId(row.last_trunk_server),
  };
}

function storageOf(row: StorageRow, syncTimes: readonly SyncTimeRow[]): SavedStorage {
  const { status } = row;
  assert(isStorageStatus(status), `status ${status} in the state is one of ours`);
  const mine = syncTimes.filter(
    (time) => time.group_name === row.group_name && time.destination === row.id,
  );
  return {
    group: GroupName(row.group_name),
    id: StorageId(row.id),
    joinOrder: row.join_order,
    addresses: row.addresses.split(","),
    port: row.port,
    status,
    version: row.version,
    speaksCairn: row.speaks_cairn !== 0,
    joinTime: row.join_time,
    uploadPriority: row.upload_priority,
    storePathCount: row.store_path_count,
    subdirCount: row.subdir_count,
    source:
      row.sync_source === null
        ? undefined
        : { id: StorageId(row.sync_source), until: row.sync_until },
    changelogOffset: row.changelog_offset,
    totalMb: row.total_mb,
    freeMb: row.free_mb,
    storePaths: (JSON.parse(row.store_paths) as PathPairs).map(
      ([totalMb, freeMb]): Space => ({ totalMb, freeMb }),
    ),
    statistics: storageStatistics.decode(new WireReader(row.statistics), narrowAddresses),
    syncTimes: new Map(mine.map((time) => [StorageId(time.source), time.timestamp])),
  };
}

function timesOf(rows: readonly TimeRow[]): SavedTimes {
  const seconds = new Map(rows.map((row) => [row.name, row.seconds]));
  return { upTime: seconds.get("up") ?? 0, lastCheckTime: seconds.get("last-check") ?? 0 };
}

function encodeStatistics(statistics: StorageStatistics): Uint8Array {
  const writer = new WireWriter(348);
  storageStatistics.encode(statistics, writer, narrowAddresses);
  return writer.bytes();
}
