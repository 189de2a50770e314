/** Why settings of FastDFS have no equivalent here, in words for the operator who moves (protocol §8.1, §10.4, §11). */

export type FastdfsFileKind = "tracker.conf" | "storage.conf" | "mod_fastdfs.conf";

const logs = "logs go to standard error; the journal, the container or logrotate keeps them";
const threads = "threads are not counted: one for each store path, and one for the network";
const buffers = "buffers have fixed sizes here";
const kernel = "Node decides how it talks to the kernel";
const pool = "connections between nodes are always kept and used again";
const pace = "there is no such setting: copying between storages finds its own pace";
const fastdht = "FastDHT is not spoken to; equal files are stored as they come";
const account = "the unit file or the container says as whom the daemon runs";
const onePort = "a role listens on one port, at the addresses in node.bind";
const fromTracker = "the gateway learns it from the tracker";
const oldHttp = "FastDFS itself ignores this key since 6.13; HTTP is the gateway's, see [gateway]";
const oldLog = `FastDFS itself ignores this key since 6.14; ${logs}`;
const network = "node.connect_timeout and node.network_timeout hold for all roles";
const localPaths = "the gateway finds the files through tracker and storage";

const everywhere: Readonly<Record<string, string>> = {
  disabled: "leave the role out of node.roles instead",
  inner_bind_addr: onePort,
  outer_bind_addr: onePort,
  inner_port: onePort,
  outer_port: onePort,
  accept_threads: threads,
  work_threads: threads,
  thread_stack_size: threads,
  buff_size: buffers,
  min_buff_size: buffers,
  max_buff_size: buffers,
  use_io_uring: kernel,
  use_send_zc: kernel,
  tcp_quick_ack: kernel,
  run_by_group: account,
  run_by_user: account,
  use_connection_pool: pool,
  connection_pool_max_idle_time: pool,
  sync_log_buff_interval: logs,
  log_file_rotate_everyday: logs,
  log_file_rotate_time: logs,
  log_file_compress_old: logs,
  log_file_compress_days_before: logs,
  log_file_rotate_on_size: logs,
  log_file_keep_days: logs,
  log_file_delete_old_time: logs,
  rotate_error_log: oldLog,
  error_log_rotate_time: oldLog,
  rotate_error_log_size: oldLog,
  compress_old_error_log: oldLog,
  compress_error_log_days_before: oldLog,
  "http.server_port": oldHttp,
  "http.domain_name": oldHttp,
  "http.disabled": oldHttp,
  "http.tracker_server_port": oldHttp,
  "http.check_alive_interval": oldHttp,
  "http.check_alive_type": oldHttp,
  "http.check_alive_uri": oldHttp,
};

const byFile: Readonly<Record<FastdfsFileKind, Readonly<Record<string, string>>>> = {
  "tracker.conf": {},
  "storage.conf": {
    client_bind: "outgoing connections take the address that the system chooses",
    disk_rw_separated: threads,
    disk_reader_threads: threads,
    disk_writer_threads: threads,
    sync_min_threads: pace,
    sync_wait_msec: "copying begins by itself when something was stored",
    sync_interval: "it counts milliseconds; see storage.sync.interval",
    write_mark_file_freq: "the mark of each peer is written once a second while it moves",
    disk_recovery_threads: pace,
    fsync_after_written_bytes:
      "FastDFS reads it and does nothing with it; here files are flushed before the reply, see storage.durability",
    sync_binlog_buff_interval: "the binlog entry is written before the reply",
    sync_stat_file_interval: "counters are metrics here",
    if_alias_prefix: "node.address says which address is announced",
    file_signature_method: fastdht,
    key_namespace: fastdht,
    keep_alive: fastdht,
    group_count: fastdht,
    compress_binlog: "binlogs are kept as they are",
    compress_binlog_time: "binlogs are kept as they are",
    check_store_path_mark: "the mark of a store path is always checked",
    use_access_log: oldLog,
    rotate_access_log: oldLog,
    access_log_rotate_time: oldLog,
    rotate_access_log_size: oldLog,
    compress_old_access_log: oldLog,
    compress_access_log_days_before: oldLog,
  },
  "mod_fastdfs.conf": {
    connect_timeout: network,
    network_timeout: network,
    base_path: logs,
    log_level: logs,
    log_filename: logs,
    load_fdfs_parameters_from_tracker: "the gateway always asks the tracker",
    storage_sync_file_max_delay: fromTracker,
    use_storage_id: fromTracker,
    storage_ids_filename: fromTracker,
    storage_server_port: fromTracker,
    group_name: "the gateway serves the files of every group",
    group_count: "the gateway serves the files of every group",
    store_path_count: localPaths,
    response_mode: "the gateway fetches what is elsewhere, and never redirects",
    if_alias_prefix: localPaths,
    flv_support: "video positions by start= are not supported; Range is",
    flv_extension: "video positions by start= are not supported; Range is",
    anti_steal_bypass_header_name: "no request gets around the token",
    anti_steal_bypass_header_value: "no request gets around the token",
    "http.mime_types_filename": "content types by extension are built in",
    "http.need_find_content_type": "content types by extension are built in",
    "http.multi_range.enabled": "several ranges in one request are always served",
  },
};

const unknown = "FastDFS 6.16 does not know this key";

/** The reason why `key` of section `section` of a `kind` of file is left out. */
export function reasonFor(kind: FastdfsFileKind, section: string, key: string): string {
  if (section === "error-log" || section === "access-log") return logs;
  if (kind === "mod_fastdfs.conf" && /^group\d+$/.test(section)) return localPaths;
  if (section !== "") return `keys of the section [${section}] are not read by FastDFS 6.16`;
  const own = Object.hasOwn(byFile[kind], key) ? byFile[kind][key] : undefined;
  if (own !== undefined) return own;
  if (Object.hasOwn(everywhere, key)) return everywhere[key] ?? unknown;
  if (kind === "mod_fastdfs.conf" && /^store_path\d+$/.test(key)) return localPaths;
  if (kind === "storage.conf" && /^group\d+$/.test(key)) return fastdht;
  return unknown;
}
