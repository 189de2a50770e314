/** Settings of `[storage.sync]`: how changes are copied to the other storages of the group (protocol §11.4). */
import { setting, table } from "#config/setting.ts";
import { byteSize, duration, flag, integer, timeOfDay } from "#config/value-types.ts";

export const syncSection = table("How changes are copied to the other storages of the group.", {
  start_time: setting(timeOfDay(), {
    default: "00:00",
    applies: "role-restart",
    fastdfs: "storage.conf sync_start_time",
    says: "From when on changes are copied, each day by the clock of this node.",
  }),
  end_time: setting(timeOfDay(), {
    default: "23:59",
    applies: "role-restart",
    fastdfs: "storage.conf sync_end_time",
    says: "Until when changes are copied; before start_time it is of the next day. Outside of these hours new files are on this node alone.",
  }),
  interval: setting(duration({ min: "0s", max: "1h" }), {
    default: "0s",
    applies: "role-restart",
    says: "A pause after each file that was copied, as sync_interval of FastDFS, which counts milliseconds; 0s makes none.",
  }),
  bandwidth: setting(byteSize({ min: "0", max: "1TiB" }), {
    default: 0,
    applies: "role-restart",
    says: "How many bytes a second go to each of the other storages at most; 0 limits nothing.",
  }),
  connections: setting(integer({ min: 1, max: 64 }), {
    default: 4,
    applies: "role-restart",
    fastdfs: "storage.conf sync_max_threads",
    says: "How many connections to each other storage are used at the same time, divided among the store paths, one each at least; to a storage of FastDFS it is one a store path.",
  }),
  skip_invalid_record: setting(flag(), {
    default: true,
    applies: "role-restart",
    fastdfs: "storage.conf file_sync_skip_invalid_record",
    says: "Whether a line of the binlog that is no record is passed over, with a warning; otherwise copying stops there.",
  }),
  fetch_timeout: setting(duration({ min: "1s", max: "10m" }), {
    default: "20s",
    applies: "role-restart",
    says: "How long somebody who asks for a file that is not here yet waits for it to be fetched from another storage; the fetch goes on behind that.",
  }),
  source_patience: setting(duration({ min: "1s", max: "7d" }), {
    default: "2m",
    applies: "role-restart",
    says: "How long this storage, while it is new, waits for the one that fills it when that one is away; then it leaves the group and comes back by itself, and another one that is ACTIVE fills it. What it has already is kept, and not sent again by a Cairn node.",
  }),
});
