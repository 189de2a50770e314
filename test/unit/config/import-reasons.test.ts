import { expect, test } from "vitest";
import { importConf } from "#config/import-conf.ts";
import { type FastdfsFileKind, reasonFor } from "#config/import-reasons.ts";

/** The keys of protocol §8.1, §10.4, §11.2 to §11.4. */
const common = `disabled bind_addr inner_bind_addr outer_bind_addr port inner_port outer_port address_family connect_timeout
  network_timeout base_path max_connections accept_threads work_threads buff_size min_buff_size max_buff_size use_io_uring
  use_send_zc tcp_quick_ack thread_stack_size run_by_group run_by_user allow_hosts log_level use_connection_pool
  connection_pool_max_idle_time sync_log_buff_interval log_file_rotate_everyday log_file_rotate_time log_file_compress_old
  log_file_compress_days_before log_file_rotate_on_size log_file_keep_days log_file_delete_old_time`;
const keysOf: Readonly<Record<FastdfsFileKind, string>> = {
  "tracker.conf": `${common} response_ip_addr_size store_lookup store_group store_server store_path download_server
    reserved_storage_space check_active_interval storage_ip_changed_auto_adjust storage_sync_file_max_delay
    storage_sync_file_max_time use_trunk_file slot_min_size slot_max_size trunk_alloc_alignment_size trunk_free_space_merge
    delete_unused_trunk_files trunk_file_size trunk_create_file_advance trunk_create_file_time_base trunk_create_file_interval
    trunk_create_file_space_threshold trunk_init_check_occupying trunk_init_reload_from_binlog
    trunk_compress_binlog_min_interval trunk_compress_binlog_interval trunk_compress_binlog_time_base trunk_binlog_max_backups
    use_storage_id storage_ids_filename id_type_in_filename trust_storage_server_id store_slave_file_use_link`,
  "storage.conf": `${common} group_name client_bind server_id heart_beat_interval stat_report_interval disk_rw_separated
    disk_reader_threads disk_writer_threads sync_min_threads sync_max_threads sync_wait_msec sync_interval sync_start_time
    sync_end_time write_mark_file_freq disk_recovery_threads store_path_count store_path0 store_path0_readonly
    subdir_count_per_path tracker_server file_distribute_path_mode file_distribute_rotate_count fsync_after_written_bytes
    sync_binlog_buff_interval sync_stat_file_interval upload_priority if_alias_prefix check_file_duplicate
    file_signature_method key_namespace keep_alive group_count group0 file_sync_skip_invalid_record compress_binlog
    compress_binlog_time check_store_path_mark use_access_log`,
  "mod_fastdfs.conf": `connect_timeout network_timeout base_path load_fdfs_parameters_from_tracker tracker_server
    storage_sync_file_max_delay use_storage_id storage_ids_filename storage_server_port group_name url_have_group_name
    store_path_count store_path0 log_level log_filename response_mode if_alias_prefix flv_support flv_extension group_count
    anti_steal_bypass_header_name anti_steal_bypass_header_value http.disabled http.default_content_type
    http.mime_types_filename http.multi_range.enabled http.need_find_content_type http.server_port
    http.anti_steal.check_token http.anti_steal.token_ttl http.anti_steal.secret_key http.anti_steal.token_check_fail`,
};

const unknown = "FastDFS 6.16 does not know this key";

test.each(
  Object.entries(keysOf) as [FastdfsFileKind, string][],
)("every key of %s becomes a setting or has a reason", (kind, keys) => {
  const text = keys
    .split(/\s+/)
    .map((key) => `${key} = 1`)
    .join("\n");
  const { leftOut } = importConf([{ kind, path: `/etc/fdfs/${kind}`, text }]);
  expect(leftOut.filter(({ reason }) => reason === unknown).map(({ key }) => key)).toEqual([]);
});

test("keys that FastDFS does not know are called so, also when every object has them", () => {
  expect(
    ["xyz", "constructor", "__proto__", "store_pathx"].map((key) =>
      reasonFor("storage.conf", "", key),
    ),
  ).toEqual([unknown, unknown, unknown, unknown]);
});

test("keys in sections have reasons of their own", () => {
  expect(reasonFor("tracker.conf", "error-log", "log_file_keep_days")).toContain("standard error");
  expect(reasonFor("mod_fastdfs.conf", "group1", "store_path0")).toContain("tracker and storage");
  expect(reasonFor("tracker.conf", "other", "port")).toContain("[other]");
});
