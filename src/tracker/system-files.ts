/**
 * The data files of a C tracker, written and read (protocol §5.5): other trackers copy them by command 63, and a tracker that
 * takes over a C tracker's data directory starts from them. Pure.
 */
import type { StorageStatistics, Tally } from "#protocol/fastdfs/statistics.ts";
import type { SystemFileHold } from "#tracker/system-file-hold.ts";
import type { SavedGroup, SavedStorage, SavedTracker } from "#tracker/tracker-state.ts";

/** The counters of storage_servers_new.dat in their order; modify and truncate have none. */
export const savedTallies: readonly (readonly [keyof StorageStatistics, string])[] = [
  ["uploads", "upload_count"],
  ["appends", "append_count"],
  ["metadataSets", "set_meta_count"],
  ["deletes", "delete_count"],
  ["downloads", "download_count"],
  ["metadataGets", "get_meta_count"],
  ["linkCreations", "create_link_count"],
  ["linkDeletions", "delete_link_count"],
  ["uploadBytes", "upload_bytes"],
  ["appendBytes", "append_bytes"],
  ["downloadBytes", "download_bytes"],
  ["syncInBytes", "sync_in_bytes"],
  ["syncOutBytes", "sync_out_bytes"],
  ["fileOpens", "file_open_count"],
  ["fileReads", "file_read_count"],
  ["fileWrites", "file_write_count"],
];

export interface SystemFileOptions {
  /** Storage ids are in use: each storage's id is written beside its address. */
  readonly withIds: boolean;
  /** Offsets into the changelog count from its first line that is still there. */
  readonly changelogStart: number;
  readonly changelog: string;
}

/** The four files in the order of their index in command 63. */
export function formatSystemFiles(
  saved: Pick<SavedTracker, "groups" | "storages">,
  options: SystemFileOptions,
): SystemFileHold {
  const storages = inFileOrder(saved);
  return [
    Buffer.from(formatGroups(saved.groups)),
    Buffer.from(formatStorages(storages, options)),
    Buffer.from(formatSyncTimes(storages)),
    Buffer.from(options.changelog),
  ];
}

/** Groups by name, the storages of each in the order in which they joined. */
function inFileOrder(saved: Pick<SavedTracker, "groups" | "storages">): readonly SavedStorage[] {
  return [...saved.storages].sort((one, other) => {
    if (one.group !== other.group) return one.group < other.group ? -1 : 1;
    return one.joinOrder - other.joinOrder;
  });
}

function formatGroups(groups: readonly SavedGroup[]): string {
  const sections = groups.map((group, at) =>
    [
      `# group: ${group.name}`,
      `[Group${ordinal(at)}]`,
      `\tgroup_name=${group.name}`,
      `\tstorage_port=${group.storagePort}`,
      `\tstore_path_count=${group.storePathCount}`,
      `\tsubdir_count_per_path=${group.subdirCount}`,
      `\tcurrent_trunk_file_id=${group.currentTrunkFileId}`,
      `\ttrunk_server=${group.trunkServer ?? ""}`,
      `\tlast_trunk_server=${group.lastTrunkServer ?? ""}`,
      "",
      "",
    ].join("\n"),
  );
  return `[Global]\n\tgroup_count=${groups.length}\n\n${sections.join("")}`;
}

function formatStorages(storages: readonly SavedStorage[], options: SystemFileOptions): string {
  const sections = storages.map((storage, at) => formatStorage(storage, at, options));
  return `${sections.join("")}\n[Global]\n\tstorage_count=${storages.length}\n`;
}

function formatStorage(storage: SavedStorage, at: number, options: SystemFileOptions): string {
  const { statistics, source } = storage;
  const address = storage.addresses[0] ?? "";
  const shown = address.includes(":") ? `[${address}]` : address;
  const tallies = savedTallies.flatMap(([key, name]) => {
    const tally = statistics[key] as Tally;
    return [`\ttotal_${name}=${tally.total}`, `\tsuccess_${name}=${tally.success}`];
  });
  return [
    `# storage: ${shown}:${storage.port}`,
    `[Storage${ordinal(at)}]`,
    ...(options.withIds ? [`\tid=${storage.id}`] : []),
    `\tgroup_name=${storage.group}`,
    `\tip_addr=${address}`,
    `\tstatus=${storage.status}`,
    `\tversion=${storage.version}`,
    // C passes over keys that it does not know.
    ...(storage.speaksCairn ? ["\tcairn=1"] : []),
    `\tjoin_time=${storage.joinTime}`,
    `\tstorage_port=${storage.port}`,
    `\tsync_src_server=${source?.id ?? ""}`,
    `\tsync_until_timestamp=${source?.until ?? 0}`,
    `\ttotal_mb=${storage.totalMb}`,
    `\tfree_mb=${storage.freeMb}`,
    `\tchangelog_offset=${Math.max(0, storage.changelogOffset - options.changelogStart)}`,
    `\tstore_path_count=${storage.storePathCount}`,
    `\tsubdir_count_per_path=${storage.subdirCount}`,
    `\tupload_priority=${storage.uploadPriority}`,
    ...tallies,
    `\tlast_source_update=${statistics.lastSourceUpdate}`,
    `\tlast_sync_update=${statistics.lastSyncUpdate}`,
    `\tlast_synced_timestamp=${statistics.lastSyncedTimestamp}`,
    `\tlast_heart_beat_time=${statistics.lastHeartBeatTime}`,
    "",
    "",
  ].join("\n");
}

/** One line a source, its columns the storages of the group in the order of the storages' file. */
function formatSyncTimes(storages: readonly SavedStorage[]): string {
  return storages
    .map((source) => {
      const times = storages
        .filter((storage) => storage.group === source.group)
        .map((destination) => destination.syncTimes.get(source.id) ?? 0);
      return `${[source.group, source.id, ...times].join(",")}\n`;
    })
    .join("");
}

function ordinal(at: number): string {
  return String(at + 1).padStart(3, "0");
}
