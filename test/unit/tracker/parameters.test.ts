import { expect, test } from "vitest";
import { version } from "#base/version.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { requestParameters } from "#protocol/fastdfs/tracker-lookups.ts";
import { maxParameterBytes } from "#tracker/limits.ts";
import { sharedParameters } from "#tracker/parameters.ts";
import { defaultTrackerSettings, type TrackerSettings } from "#tracker/tracker-settings.ts";

/** As the C reference sent them with these settings (captures, cold start). */
const captured = `use_storage_id=0
id_type_in_filename=ip
trust_storage_server_id=1
response_ip_addr_size=16
storage_ip_changed_auto_adjust=1
storage_sync_file_max_delay=86400
store_path=0
reserved_storage_space=1.00%
use_trunk_file=0
slot_min_size=256
slot_max_size=1048576
trunk_alloc_alignment_size=256
trunk_file_size=67108864
trunk_create_file_advance=0
trunk_create_file_time_base=02:00
trunk_create_file_interval=86400
trunk_create_file_space_threshold=0
trunk_init_check_occupying=0
trunk_init_reload_from_binlog=0
trunk_free_space_merge=1
delete_unused_trunk_files=0
trunk_compress_binlog_min_interval=86400
trunk_compress_binlog_interval=86400
trunk_compress_binlog_time_base=03:00
trunk_binlog_max_backups=7
store_slave_file_use_link=0
`;

function text(settings: TrackerSettings, width: 16 | 46 = 16): string {
  const writer = new WireWriter();
  const parameters = sharedParameters(settings, width);
  requestParameters.reply.encode({ parameters }, writer, narrowAddresses);
  return writer.bytes().toString();
}

const { trunk } = defaultTrackerSettings;

test("the parameters are those of C, in its order and notation, and behind them our own mark", () => {
  const settings: TrackerSettings = {
    ...defaultTrackerSettings,
    reservedSpace: { kind: "percent", percent: 1 },
    trunk: {
      ...trunk,
      slotMaxSizeBytes: 1024 ** 2,
      allocAlignmentSizeBytes: 256,
      freeSpaceMerge: true,
      compressBinlogMinIntervalMs: 86_400_000,
      compressBinlogIntervalMs: 86_400_000,
      binlogMaxBackups: 7,
    },
  };
  expect(text(settings)).toBe(`${captured}cairn=${version}\n`);
});

test("a reserved size is told in MB, an absent slot limit as an eighth of the trunk file", () => {
  const lines = text(defaultTrackerSettings, 46).split("\n");
  expect(lines).toContain("reserved_storage_space=1024MB");
  expect(lines).toContain("slot_max_size=8388608");
  expect(lines).toContain("response_ip_addr_size=46");
});

test("an alignment above the smallest slot raises that", () => {
  const aligned = { ...trunk, allocAlignmentSizeBytes: 1024 };
  const lines = text({ ...defaultTrackerSettings, trunk: aligned }).split("\n");
  expect(lines).toContain("slot_min_size=1024");
});

test("the longest parameters fit the buffer in which C storages receive them", () => {
  const year = 365 * 86_400_000;
  const longest: TrackerSettings = {
    ...defaultTrackerSettings,
    storageIds: [],
    idTypeInFilename: "id",
    storePath: "most-free",
    syncFileMaxDelayMs: year,
    reservedSpace: { kind: "bytes", bytes: 8192 * 1024 ** 4 },
    trunk: {
      ...trunk,
      slotMinSizeBytes: 65_536,
      slotMaxSizeBytes: 1024 ** 3,
      allocAlignmentSizeBytes: 65_536,
      fileSizeBytes: 2 * 1024 ** 3,
      createFileIntervalMs: year,
      createFileSpaceThresholdBytes: 8191 * 1024 ** 4,
      compressBinlogMinIntervalMs: year,
      compressBinlogIntervalMs: year,
      binlogMaxBackups: 100_000,
    },
  };
  expect(text(longest, 46).length).toBeLessThanOrEqual(maxParameterBytes);
});
