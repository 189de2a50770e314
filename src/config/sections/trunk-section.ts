/** Packing of small files into trunk files: `[tracker.trunk]` (protocol §4.1, §11.3), delivered by PARAMETER_REQ (75). */
import { setting, table } from "#config/setting.ts";
import { byteSize, duration, flag, integer, timeOfDay } from "#config/value-types.ts";

export const trunkSection = table(
  "Packing of small files into trunk files; every storage of the cluster is told these values.",
  {
    enabled: setting(flag(), {
      default: false,
      applies: "role-restart",
      fastdfs: "tracker.conf use_trunk_file",
      says: "Whether small files are packed into trunk files.",
    }),
    slot_min_size: setting(byteSize({ min: "1", max: "64KiB" }), {
      default: "256B",
      applies: "role-restart",
      fastdfs: "tracker.conf slot_min_size",
      says: "The smallest slot in a trunk file.",
    }),
    slot_max_size: setting(byteSize({ min: "0", max: "1GiB" }), {
      default: 0,
      applies: "role-restart",
      fastdfs: "tracker.conf slot_max_size",
      says: "The largest slot, thus the largest file that is packed; 0 means an eighth of file_size.",
    }),
    alloc_alignment_size: setting(byteSize({ min: "0", max: "64KiB" }), {
      default: 0,
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_alloc_alignment_size",
      says: "Slot sizes are rounded up to a multiple of this; 0 rounds nothing.",
    }),
    file_size: setting(byteSize({ min: "4MiB", max: "2GiB" }), {
      default: "64MiB",
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_file_size",
      says: "The size of one trunk file.",
    }),
    free_space_merge: setting(flag(), {
      default: false,
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_free_space_merge",
      says: "Whether neighbouring free slots become one when the free list is saved.",
    }),
    delete_unused_files: setting(flag(), {
      default: false,
      applies: "role-restart",
      fastdfs: "tracker.conf delete_unused_trunk_files",
      says: "Whether trunk files without a used slot are deleted where a trunk server divides them: by each of our storages when the last file in them is deleted, by a C trunk server when it saves its free list. In leased trunk files, which a group of our storages has, they always are.",
    }),
    create_file_advance: setting(flag(), {
      default: false,
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_create_file_advance",
      says: "Whether a trunk server makes trunk files before they are needed, so that the trackers know of free space in them; in leased trunk files, which a group of our storages has, each is made when it is needed.",
    }),
    create_file_time_base: setting(timeOfDay(), {
      default: "02:00",
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_create_file_time_base",
      says: "When trunk files are first made in advance.",
    }),
    create_file_interval: setting(duration({ min: "1s", max: "365d" }), {
      default: "1d",
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_create_file_interval",
      says: "How often trunk files are made in advance.",
    }),
    create_file_space_threshold: setting(byteSize({ min: "0", max: "8191TiB" }), {
      default: 0,
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_create_file_space_threshold",
      says: "Free space in trunk files that making in advance aims at.",
    }),
    init_check_occupying: setting(flag(), {
      default: false,
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_init_check_occupying",
      says: "Whether a trunk server looks into each free slot when it loads its free list, and leaves out those in which a file stands; takes long where they are many. Leased trunk files need none of it: they are looked through where their free list is in doubt.",
    }),
    init_reload_from_binlog: setting(flag(), {
      default: false,
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_init_reload_from_binlog",
      says: "Whether the free list is rebuilt from the whole trunk binlog at start.",
    }),
    compress_binlog_min_interval: setting(duration({ min: "0s", max: "365d" }), {
      default: "0s",
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_compress_binlog_min_interval",
      says: "The least time between two compressions of the trunk binlog; 0s compresses never.",
    }),
    compress_binlog_interval: setting(duration({ min: "0s", max: "365d" }), {
      default: "0s",
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_compress_binlog_interval",
      says: "How often the trunk binlog is compressed; 0s means never.",
    }),
    compress_binlog_time_base: setting(timeOfDay(), {
      default: "03:00",
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_compress_binlog_time_base",
      says: "When the trunk binlog is first compressed.",
    }),
    binlog_max_backups: setting(integer({ min: 0, max: 100_000, unit: "files" }), {
      default: 0,
      applies: "role-restart",
      fastdfs: "tracker.conf trunk_binlog_max_backups",
      says: "How many old trunk binlogs are kept after compression; 0 keeps none.",
    }),
  },
);
