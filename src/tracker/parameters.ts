/**
 * What a tracker tells its storages of the cluster's settings: the lines of PARAMETER_REQ in C's order (protocol §2.4/75), and one by
 * which storages of ours tell us from C, which passes over it. Pure.
 */
import { version } from "#base/version.ts";
import type { Parameter } from "#protocol/fastdfs/tracker-lookups.ts";
import { trackerParameter } from "#protocol/peer/trunk-lease.ts";
import type { ReservedSpace, TimeOfDay, TrackerSettings } from "#tracker/tracker-settings.ts";

const bytesPerMb = 1024 ** 2;

export function sharedParameters(
  settings: TrackerSettings,
  addressWidth: 16 | 46,
): readonly Parameter[] {
  const { trunk } = settings;
  const slotMaxSize =
    trunk.slotMaxSizeBytes > 0 ? trunk.slotMaxSizeBytes : Math.floor(trunk.fileSizeBytes / 8);
  const slotMinSize = Math.max(trunk.slotMinSizeBytes, trunk.allocAlignmentSizeBytes);
  return [
    ["use_storage_id", flag(settings.storageIds !== undefined)],
    ["id_type_in_filename", settings.idTypeInFilename],
    ["trust_storage_server_id", flag(settings.trustStorageId)],
    ["response_ip_addr_size", String(addressWidth)],
    ["storage_ip_changed_auto_adjust", flag(settings.storageIpChangedAutoAdjust)],
    ["storage_sync_file_max_delay", seconds(settings.syncFileMaxDelayMs)],
    ["store_path", settings.storePath === "most-free" ? "2" : "0"],
    ["reserved_storage_space", reservedText(settings.reservedSpace)],
    ["use_trunk_file", flag(trunk.enabled)],
    ["slot_min_size", String(slotMinSize)],
    ["slot_max_size", String(slotMaxSize)],
    ["trunk_alloc_alignment_size", String(trunk.allocAlignmentSizeBytes)],
    ["trunk_file_size", String(trunk.fileSizeBytes)],
    ["trunk_create_file_advance", flag(trunk.createFileAdvance)],
    ["trunk_create_file_time_base", timeText(trunk.createFileTimeBase)],
    ["trunk_create_file_interval", seconds(trunk.createFileIntervalMs)],
    ["trunk_create_file_space_threshold", String(trunk.createFileSpaceThresholdBytes)],
    ["trunk_init_check_occupying", flag(trunk.initCheckOccupying)],
    ["trunk_init_reload_from_binlog", flag(trunk.initReloadFromBinlog)],
    ["trunk_free_space_merge", flag(trunk.freeSpaceMerge)],
    ["delete_unused_trunk_files", flag(trunk.deleteUnusedFiles)],
    ["trunk_compress_binlog_min_interval", seconds(trunk.compressBinlogMinIntervalMs)],
    ["trunk_compress_binlog_interval", seconds(trunk.compressBinlogIntervalMs)],
    ["trunk_compress_binlog_time_base", timeText(trunk.compressBinlogTimeBase)],
    ["trunk_binlog_max_backups", String(trunk.binlogMaxBackups)],
    ["store_slave_file_use_link", flag(settings.storeSlaveFileUseLink)],
    [trackerParameter, version],
  ];
}

function flag(value: boolean): string {
  return value ? "1" : "0";
}

function seconds(ms: number): string {
  return String(Math.round(ms / 1000));
}

function timeText({ hour, minute }: TimeOfDay): string {
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

function reservedText(reserved: ReservedSpace): string {
  return reserved.kind === "bytes"
    ? `${Math.floor(reserved.bytes / bytesPerMb)}MB`
    : `${reserved.percent.toFixed(2)}%`;
}
