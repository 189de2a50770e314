/**
 * Reads the data files of a C tracker (protocol §5.5), so that a tracker can take its place. What cannot be understood is left
 * out and named: a tracker learns the rest again from its storages. Pure.
 */
import { isGroupName } from "#model/group-name.ts";
import { isStorageId, type StorageId } from "#model/storage-id.ts";
import { isStorageStatus, type StorageStatus, storageStatus } from "#model/storage-status.ts";
import type { StorageStatistics } from "#protocol/fastdfs/statistics.ts";
import { parseChangelog } from "#tracker/changelog.ts";
import { idOfAddress } from "#tracker/storage-identity.ts";
import { savedTallies } from "#tracker/system-files.ts";
import type { SavedGroup, SavedStorage, SavedTimes, SavedTracker } from "#tracker/tracker-state.ts";

/** The files' texts; one that does not exist is empty. */
export interface SystemFileTexts {
  readonly groups: string;
  readonly storages: string;
  readonly syncTimes: string;
  readonly changelog: string;
  /** `.tracker_status` */
  readonly status: string;
}

export interface ImportedTracker {
  readonly saved: SavedTracker;
  /** Sections and lines that were left out, for the log. */
  readonly problems: readonly string[];
}

type Section = ReadonlyMap<string, string>;

/**
 * The data files below the base path of a C tracker, or undefined where there are none. `readText` gives the text of a file,
 * or undefined where there is no such file.
 */
export function readBasePath(
  basePath: string,
  readText: (path: string) => string | undefined,
): ImportedTracker | undefined {
  const text = (name: string): string => readText(`${basePath}/data/${name}`) ?? "";
  const groups = text("storage_groups_new.dat");
  if (groups === "") return undefined;
  return importSystemFiles({
    groups,
    storages: text("storage_servers_new.dat"),
    syncTimes: text("storage_sync_timestamp.dat"),
    changelog: text("storage_changelog.dat"),
    status: text(".tracker_status"),
  });
}

export function importSystemFiles(texts: SystemFileTexts): ImportedTracker {
  const problems: string[] = [];
  const groups = sections(texts.groups, "Group").flatMap(([name, section]) => {
    const group = importGroup(section);
    if (group === undefined) problems.push(`section ${name} of the groups file names no group`);
    return group ?? [];
  });
  const known = new Set(groups.map((group) => group.name));
  const times = importSyncTimes(texts.syncTimes);
  const storages: SavedStorage[] = [];
  for (const [name, section] of sections(texts.storages, "Storage")) {
    const storage = importStorage(section, storages.length);
    if (storage === undefined || !known.has(storage.group)) {
      problems.push(`section ${name} of the storages file is no storage of a known group`);
      continue;
    }
    storages.push(storage);
  }
  return {
    saved: {
      groups,
      storages: storages.map((storage) => ({
        ...storage,
        syncTimes: timesOf(storage, storages, times),
      })),
      changelog: parseChangelog(texts.changelog),
      times: importStatus(texts.status),
    },
    problems,
  };
}

function importGroup(section: Section): SavedGroup | undefined {
  const name = section.get("group_name") ?? "";
  if (!isGroupName(name)) return undefined;
  return {
    name,
    storagePort: integer(section, "storage_port"),
    storePathCount: integer(section, "store_path_count"),
    subdirCount: integer(section, "subdir_count_per_path"),
    currentTrunkFileId: integer(section, "current_trunk_file_id"),
    trunkServer: idOrUndefined(section.get("trunk_server")),
    lastTrunkServer: idOrUndefined(section.get("last_trunk_server")),
  };
}

function importStorage(section: Section, joinOrder: number): SavedStorage | undefined {
  const group = section.get("group_name") ?? "";
  const address = section.get("ip_addr") ?? "";
  const id = section.get("id") ?? (address === "" ? "" : idOfAddress(address));
  if (!isGroupName(group) || !isStorageId(id)) return undefined;
  const source = idOrUndefined(section.get("sync_src_server"));
  return {
    group,
    id,
    joinOrder,
    addresses: [address],
    port: integer(section, "storage_port"),
    status: importedStatus(section),
    version: section.get("version") ?? "",
    speaksCairn: integer(section, "cairn") === 1,
    joinTime: integer(section, "join_time"),
    uploadPriority: integer(section, "upload_priority"),
    storePathCount: integer(section, "store_path_count"),
    subdirCount: integer(section, "subdir_count_per_path"),
    source:
      source === undefined
        ? undefined
        : { id: source, until: integer(section, "sync_until_timestamp") },
    changelogOffset: integer(section, "changelog_offset"),
    totalMb: integer(section, "total_mb"),
    freeMb: integer(section, "free_mb"),
    // C does not save them; the next disk report brings them.
    storePaths: [],
    statistics: importStatistics(section),
    syncTimes: new Map(),
  };
}

function importedStatus(section: Section): StorageStatus {
  const status = integer(section, "status");
  return isStorageStatus(status) ? status : storageStatus.offline;
}

function importStatistics(section: Section): StorageStatistics {
  const tallies = savedTallies.map(([key, name]) => [
    key,
    { total: integer(section, `total_${name}`), success: integer(section, `success_${name}`) },
  ]);
  const none = { total: 0, success: 0 };
  return {
    connections: { allocated: 0, current: 0, max: 0 },
    modifies: none,
    truncates: none,
    modifyBytes: none,
    ...(Object.fromEntries(tallies) as Omit<
      StorageStatistics,
      "connections" | "modifies" | "truncates" | "modifyBytes"
    >),
    lastSourceUpdate: integer(section, "last_source_update"),
    lastSyncUpdate: integer(section, "last_sync_update"),
    lastSyncedTimestamp: integer(section, "last_synced_timestamp"),
    lastHeartBeatTime: integer(section, "last_heart_beat_time"),
  };
}

/** By `group,source`, the columns of the destinations. */
function importSyncTimes(text: string): ReadonlyMap<string, readonly number[]> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [group, source, ...times] = line.trim().split(",");
      if (group === undefined || source === undefined) return [];
      return [[`${group},${source}`, times.map((time) => toInteger(time))] as const];
    }),
  );
}

function timesOf(
  destination: SavedStorage,
  storages: readonly SavedStorage[],
  times: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<StorageId, number> {
  const members = storages.filter((storage) => storage.group === destination.group);
  const column = members.indexOf(destination);
  const arrived = new Map<StorageId, number>();
  for (const source of members) {
    const time = times.get(`${source.group},${source.id}`)?.[column] ?? 0;
    if (time > 0) arrived.set(source.id, time);
  }
  return arrived;
}

function importStatus(text: string): SavedTimes {
  const section = new Map(assignments(text));
  return {
    upTime: integer(section, "up_time"),
    lastCheckTime: integer(section, "last_check_time"),
  };
}

/** The sections `[Group001]`, `[Group002]` … with their keys. */
function sections(text: string, kind: string): readonly (readonly [string, Section])[] {
  return text
    .split(/^[ \t]*\[/m)
    .slice(1)
    .flatMap((part) => {
      const end = part.indexOf("]");
      const name = part.slice(0, Math.max(end, 0));
      if (!name.startsWith(kind)) return [];
      return [[name, new Map(assignments(part.slice(end + 1)))] as const];
    });
}

function assignments(text: string): readonly (readonly [string, string])[] {
  return text.split("\n").flatMap((line) => {
    const at = line.indexOf("=");
    if (at < 0 || line.trimStart().startsWith("#")) return [];
    return [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
  });
}

function integer(section: Section, key: string): number {
  return toInteger(section.get(key));
}

function toInteger(text: string | undefined): number {
  const value = Number(text ?? "");
  return Number.isSafeInteger(value) ? value : 0;
}

function idOrUndefined(text: string | undefined): StorageId | undefined {
  return text !== undefined && isStorageId(text) ? text : undefined;
}
