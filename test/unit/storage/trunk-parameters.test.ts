import { expect, test } from "vitest";
import { defaultTrunkParameters, readTrunkParameters } from "#storage/trunk-parameters.ts";

const mib = 1024 * 1024;

test("what a tracker says of trunk files is read", () => {
  expect(
    readTrunkParameters([
      ["use_trunk_file", "1"],
      ["slot_min_size", "512"],
      ["slot_max_size", "1048576"],
      ["trunk_alloc_alignment_size", "256"],
      ["trunk_file_size", "67108864"],
      ["trunk_init_reload_from_binlog", "1"],
      ["trunk_free_space_merge", "true"],
      ["delete_unused_trunk_files", "1"],
      ["trunk_compress_binlog_min_interval", "86400"],
      ["trunk_compress_binlog_interval", "3600"],
      ["trunk_compress_binlog_time_base", "04:30"],
      ["trunk_binlog_max_backups", "7"],
      ["trunk_init_check_occupying", "1"],
      ["trunk_create_file_advance", "1"],
      ["trunk_create_file_time_base", "05:30"],
      ["trunk_create_file_interval", "7200"],
      ["trunk_create_file_space_threshold", "20GB"],
      ["cairn", "0.1.0"],
    ]),
  ).toEqual({
    enabled: true,
    rules: { slotMinBytes: 512, slotMaxBytes: mib, alignmentBytes: 256, trunkFileBytes: 64 * mib },
    mergesFreeSpace: true,
    deletesUnused: true,
    reloadsFromBinlog: true,
    checksOccupying: true,
    advance: {
      enabled: true,
      timeBase: { hour: 5, minute: 30 },
      intervalSeconds: 7200,
      thresholdBytes: 20 * 1024 ** 3,
    },
    compression: {
      intervalSeconds: 3600,
      minIntervalSeconds: 86_400,
      timeBase: { hour: 4, minute: 30 },
    },
    maxBackups: 7,
    leases: true,
  });
});

test("what is missing or cannot be is C's default", () => {
  expect(readTrunkParameters([])).toEqual(defaultTrunkParameters);
  expect(
    readTrunkParameters([
      ["use_trunk_file", "no"],
      ["slot_min_size", "0"],
      ["slot_max_size", "1G"],
      ["trunk_alloc_alignment_size", "-1"],
      ["trunk_file_size", "1K"],
      ["trunk_compress_binlog_time_base", "24:00"],
      ["trunk_binlog_max_backups", "many"],
    ]),
  ).toEqual(defaultTrunkParameters);
});

test("the largest slot is an eighth of the trunk file, unless said otherwise", () => {
  expect(readTrunkParameters([["trunk_file_size", "16MB"]]).rules).toMatchObject({
    slotMaxBytes: 2 * mib,
    trunkFileBytes: 16 * mib,
  });
});
