/** Settings of the storage role: `[storage]` and its store paths `[[storage.path]]` (protocol §11.4). */
import { mirrorSection } from "#config/sections/mirror-section.ts";
import { scrubSection } from "#config/sections/scrub-section.ts";
import { syncSection } from "#config/sections/sync-section.ts";
import { defaultTrackerPort } from "#config/sections/tracker-section.ts";
import { setting, table, tableList } from "#config/setting.ts";
import {
  byteSize,
  choice,
  duration,
  flag,
  integer,
  list,
  path,
  storageServerId,
  text,
  trackerAddress,
} from "#config/value-types.ts";
import { isGroupName } from "#model/group-name.ts";
import { maxStorePaths } from "#model/store-path-index.ts";

/** Storages refuse more (protocol §11.4), and JOIN has no room for them. */
const maxTrackers = 16;

export const storageSection = table("The storage role, which keeps the files.", {
  port: setting(integer({ min: 0, max: 65_535 }), {
    default: 23_000,
    applies: "role-restart",
    fastdfs: "storage.conf port",
    says: "TCP port of the storage; 0 takes a free one.",
  }),
  group: setting(
    text({ form: { words: "a group name of 1 to 16 letters and digits", accepts: isGroupName } }),
    {
      default: "group1",
      applies: "role-restart",
      fastdfs: "storage.conf group_name",
      says: "The group that this storage belongs to; storages of one group hold the same files.",
    },
  ),
  trackers: setting(list(trackerAddress(defaultTrackerPort), { min: 0, max: maxTrackers }), {
    default: [],
    applies: "role-restart",
    fastdfs: "storage.conf tracker_server, mod_fastdfs.conf tracker_server",
    says: "The trackers of the cluster; empty means the tracker of this node.",
  }),
  path: tableList({
    says: "The store paths, M00 first; without any there is one, store0 in node.data_dir.",
    max: maxStorePaths,
    applies: "role-restart",
    textEntry: "directory",
    entries: {
      directory: setting(path(), {
        applies: "role-restart",
        fastdfs: "storage.conf store_pathN",
        says: "Directory of the store path; its files lie below data/ in it.",
      }),
      readonly: setting(flag(), {
        default: false,
        applies: "role-restart",
        fastdfs: "storage.conf store_pathN_readonly",
        says: "Whether no new files are placed there.",
      }),
      take_over: setting(flag(), {
        default: false,
        applies: "role-restart",
        says: "Whether a disk that carries another store path's files becomes this store path; otherwise it is refused, because disks get mixed up. For one start: set it back afterwards.",
      }),
    },
  }),
  layout: setting(choice("single", "mirror"), {
    default: "single",
    applies: "role-restart",
    says: "Whether this node is one storage, or a mirror: two storages of one group in this process, each on disks of its own, so that the box survives the loss of a disk. A mirror needs an even number of store paths.",
  }),
  mirror: mirrorSection,
  dedup: setting(flag(), {
    default: false,
    applies: "role-restart",
    fastdfs: "storage.conf check_file_duplicate",
    says: "Whether an uploaded file whose content a store path of this node holds becomes a further name of that content; the last name that is deleted takes it along. Costs a SHA-256 of every upload; uploads are not packed then. Appender and slave files are stored as ever.",
  }),
  subdir_count: setting(integer({ min: 1, max: 256, unit: "directories" }), {
    default: 256,
    applies: "role-restart",
    fastdfs: "storage.conf subdir_count_per_path",
    says: "How many directories each of the two levels of a store path has; must never change while it holds files.",
  }),
  create_directories: setting(choice("when-needed", "all"), {
    default: "when-needed",
    applies: "role-restart",
    says: "Whether the directories of a store path are made when a file needs them, or all at start, as a C storage that is to take the path over wants it.",
  }),
  durability: setting(choice("flushed", "relaxed"), {
    default: "flushed",
    applies: "role-restart",
    says: "Whether an upload is answered when its bytes are flushed to the disk, or as soon as they are written, as FastDFS does.",
  }),
  journal_size: setting(byteSize({ min: "0", max: "4GiB" }), {
    default: "64MiB",
    applies: "role-restart",
    says: "Room on each store path for the journal in which small files that are packed and the records of all changes are flushed together, by one write, before the reply; made when a path is first written to much. 0 for none. Only with durability flushed; where there is to be none, what a path has of one (.cairn/journal.0 and .1) is removed at its next start, when what it holds is where it belongs.",
  }),
  packing: setting(choice("auto", "on", "off"), {
    default: "auto",
    applies: "role-restart",
    says: "Whether small files share trunk files, which saves an inode and a flush each: auto does so where the disk of a store path turns and the system tells, on does so on every disk, off never. Only with on are files put where a trunk server of C FastDFS says: one that is killed gives the same place twice, and one of the two files is lost. Needs a tracker that leases trunk files or serves slots; sizes come from tracker.trunk. With dedup, files are not packed.",
  }),
  disk_timeout: setting(duration({ min: "2s", max: "10m" }), {
    default: "20s",
    applies: "role-restart",
    says: "How long the disk of a store path may stand still until the path is quarantined: who waits for it gets an error, new files go to other paths, and it is taken back when it answers and a check found it well. Longer than a sleeping disk takes to spin up, shorter than clients wait.",
  }),
  file_distribute_mode: setting(choice("round-robin", "hash"), {
    default: "round-robin",
    applies: "role-restart",
    fastdfs: "storage.conf file_distribute_path_mode",
    fastdfsValues: { "0": "round-robin", "1": "hash" },
    says: "How the directory for a new file is chosen: in turn, or by a hash of its name.",
  }),
  file_distribute_rotate_count: setting(integer({ min: 1, max: 1_000_000_000, unit: "files" }), {
    default: 100,
    applies: "role-restart",
    fastdfs: "storage.conf file_distribute_rotate_count",
    says: "How many files go into one directory before the next one has its turn.",
  }),
  verify_interval: setting(duration({ min: "0s", max: "365d" }), {
    default: "1d",
    applies: "role-restart",
    says: "How often all files are compared with those of the other storages of the group, in the background, and what differs is repaired; the first time at most an hour after the start. 0s never does it by itself; cairn verify peers does at any time.",
  }),
  scrub: scrubSection,
  recovery_parallel: setting(integer({ min: 1, max: 64, unit: "files" }), {
    default: 16,
    applies: "role-restart",
    says: "How many files are fetched at the same time where a store path that came back empty is filled from the other storages; fewer while clients are served.",
  }),
  heart_beat_interval: setting(duration({ min: "1s", max: "1h" }), {
    default: "10s",
    applies: "role-restart",
    fastdfs: "storage.conf heart_beat_interval",
    says: "How often each tracker is told that this storage is alive.",
  }),
  disk_report_interval: setting(duration({ min: "1s", max: "1d" }), {
    default: "60s",
    applies: "role-restart",
    fastdfs: "storage.conf stat_report_interval",
    says: "How often each tracker is told how much space is free.",
  }),
  upload_priority: setting(integer({ min: -2_147_483_648, max: 2_147_483_647 }), {
    default: 10,
    applies: "role-restart",
    fastdfs: "storage.conf upload_priority",
    says: 'Where tracker.store_server is "priority", the storage with the smallest number takes the uploads.',
  }),
  sync: syncSection,
  mode: setting(choice("both", "read", "write", "none"), {
    default: "both",
    applies: "role-restart",
    says: "What clients may do here: read and write, only one of the two, or nothing.",
  }),
  server_id: setting(storageServerId(), {
    default: "",
    applies: "role-restart",
    fastdfs: "storage.conf server_id",
    says: "This storage's number in the tracker's storage_ids_file; empty means that the tracker finds it by address.",
  }),
  adopt_base_path: setting(path({ mayBeEmpty: true }), {
    default: "",
    applies: "role-restart",
    fastdfs: "storage.conf base_path",
    says: "The base_path of a C FastDFS storage whose store paths these were; its binlog is taken over at the first start.",
  }),
  access_log: setting(path({ mayBeEmpty: true }), {
    default: "",
    applies: "role-restart",
    says: "File that gets one line for each request of a client, with its time in UTC; empty writes none.",
  }),
});
