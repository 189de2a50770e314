/** Settings of the tracker role: `[tracker]` (protocol §9, §11.3). Most reach storages by PARAMETER_REQ (75). */
import { trunkSection } from "#config/sections/trunk-section.ts";
import { setting, table } from "#config/setting.ts";
import { choice, duration, flag, integer, path, spaceLimit, text } from "#config/value-types.ts";
import { isGroupName } from "#model/group-name.ts";

export const defaultTrackerPort = 22122;

export const trackerSection = table("The tracker role, which tells clients where to go.", {
  port: setting(integer({ min: 0, max: 65_535 }), {
    default: defaultTrackerPort,
    applies: "role-restart",
    fastdfs: "tracker.conf port",
    says: "TCP port of the tracker; 0 takes a free one.",
  }),
  store_lookup: setting(choice("round-robin", "group", "most-free"), {
    default: "round-robin",
    applies: "role-restart",
    fastdfs: "tracker.conf store_lookup",
    fastdfsValues: { "0": "round-robin", "1": "group", "2": "most-free" },
    says: "How the group for an upload is chosen: in turn, always store_group, or the one with the most free space.",
  }),
  store_group: setting(
    text({
      form: {
        words: "a group name of 1 to 16 letters and digits, or empty",
        accepts: isGroupNameOrEmpty,
      },
    }),
    {
      default: "",
      applies: "role-restart",
      fastdfs: "tracker.conf store_group",
      says: 'The group that takes all uploads where store_lookup is "group".',
    },
  ),
  store_server: setting(choice("round-robin", "first", "priority"), {
    default: "round-robin",
    applies: "role-restart",
    fastdfs: "tracker.conf store_server",
    fastdfsValues: { "0": "round-robin", "1": "first", "2": "priority" },
    says: "How the storage for an upload is chosen in its group: in turn, the first by id, or the one with the smallest upload_priority.",
  }),
  store_path: setting(choice("round-robin", "most-free"), {
    default: "round-robin",
    applies: "role-restart",
    fastdfs: "tracker.conf store_path",
    fastdfsValues: { "0": "round-robin", "2": "most-free" },
    says: "How the store path for an upload is chosen on its storage.",
  }),
  download_server: setting(choice("round-robin", "source"), {
    default: "round-robin",
    applies: "role-restart",
    fastdfs: "tracker.conf download_server",
    fastdfsValues: { "0": "round-robin", "1": "source" },
    says: "Which storage a download is sent to: each that has the file in turn, or the one that took the upload.",
  }),
  reserved_space: setting(spaceLimit({ min: "0", max: "8191TiB" }), {
    default: "1GiB",
    applies: "role-restart",
    fastdfs: "tracker.conf reserved_storage_space",
    says: "Free space that uploads leave on each storage, as a size or as a percentage of the whole.",
  }),
  check_active_interval: setting(duration({ min: "1s", max: "1d" }), {
    default: "100s",
    applies: "role-restart",
    fastdfs: "tracker.conf check_active_interval",
    says: "A storage that was silent for so long counts as offline; must be longer than the heart beat of every storage.",
  }),
  response_address_size: setting(choice("auto", "16", "46"), {
    default: "auto",
    applies: "role-restart",
    fastdfs: "tracker.conf response_ip_addr_size",
    says: "Bytes of an address in replies: 16 suits every client, 46 is needed for IPv6; auto takes 46 only when a storage has an IPv6 address.",
  }),
  storage_ids_file: setting(path({ mayBeEmpty: true }), {
    default: "",
    applies: "role-restart",
    fastdfs: "tracker.conf storage_ids_filename",
    says: "File that gives each storage its number, group and addresses; empty means that storages are known by their address.",
  }),
  id_type_in_filename: setting(choice("ip", "id"), {
    default: "ip",
    applies: "role-restart",
    fastdfs: "tracker.conf id_type_in_filename",
    says: "What a file id says about its storage: the IP address, or the number from storage_ids_file.",
  }),
  trust_storage_id: setting(flag(), {
    default: true,
    applies: "role-restart",
    fastdfs: "tracker.conf trust_storage_server_id",
    says: "Whether the number that a storage gives for itself is believed; otherwise it is looked up by address.",
  }),
  storage_ip_changed_auto_adjust: setting(flag(), {
    default: true,
    applies: "role-restart",
    fastdfs: "tracker.conf storage_ip_changed_auto_adjust",
    says: "Whether a storage that comes back under another address is taken for the same one.",
  }),
  sync_file_max_delay: setting(duration({ min: "1s", max: "365d" }), {
    default: "1d",
    applies: "role-restart",
    fastdfs: "tracker.conf storage_sync_file_max_delay",
    says: "Files older than this are taken to be on every storage of their group when a download is routed.",
  }),
  sync_file_max_time: setting(duration({ min: "1s", max: "365d" }), {
    default: "5m",
    applies: "role-restart",
    fastdfs: "tracker.conf storage_sync_file_max_time",
    says: "The longest time that copying one file to another storage is taken to need when a download is routed.",
  }),
  adopt_base_path: setting(path({ mayBeEmpty: true }), {
    default: "",
    applies: "role-restart",
    fastdfs: "tracker.conf base_path",
    says: "The base_path of a C FastDFS tracker whose place this one takes; its groups and storages are taken over at the first start.",
  }),
  store_slave_file_use_link: setting(flag(), {
    default: false,
    applies: "role-restart",
    fastdfs: "tracker.conf store_slave_file_use_link",
    says: "Whether C storages of this cluster keep slave files as symbolic links.",
  }),
  trunk: trunkSection,
});

function isGroupNameOrEmpty(name: string): boolean {
  return name === "" || isGroupName(name);
}
