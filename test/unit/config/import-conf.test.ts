import fc from "fast-check";
import { expect, test } from "vitest";
import { formatProblem } from "#config/errors.ts";
import { type ImportedConf, type ImportFile, importConf } from "#config/import-conf.ts";
import type { FastdfsFileKind } from "#config/import-reasons.ts";
import { loadConfig } from "#config/load-config.ts";
import type { Config } from "#config/schema.ts";

type Texts = Partial<Record<FastdfsFileKind, string>>;

function importTexts(texts: Texts): ImportedConf {
  const files = Object.entries(texts).map(([kind, text]): ImportFile => {
    return { kind: kind as FastdfsFileKind, path: `/etc/fdfs/${kind}`, text };
  });
  return importConf(files);
}

function load(toml: string): Config {
  return loadConfig([{ kind: "file", name: "cairn.toml", directory: "/etc/cairn", text: toml }], {
    directory: "/",
  }).config;
}

/** The settings of a text, without its comments. */
function settings({ toml }: ImportedConf): readonly string[] {
  return toml.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

const trackerConf = `
disabled = false
bind_addr =
port = 22122
connect_timeout = 5
network_timeout = 60
base_path = /opt/fastdfs
max_connections = 1024
work_threads = 4
store_lookup = 2
store_server = 0
reserved_storage_space = 20%
allow_hosts = 10.0.1.[1-15,20]
allow_hosts = 192.168.5.64/26
check_active_interval = 120
use_trunk_file = false
slot_max_size = 1MB
trunk_create_file_time_base = 02:00
use_storage_id = true
storage_ids_filename = storage_ids.conf
id_type_in_filename = id
response_ip_addr_size = IPv4
log_file_keep_days = 15
my_own_key = 1
[error-log]
log_file_keep_days = 3
`;

const storageConf = `
group_name = group2
port = 23001
address_family = both
connect_timeout = 10
heart_beat_interval = 30
base_path = /data/fdfs
store_path_count = 2
store_path0 = /data/p0
store_path1 = /data/p1
store_path1_readonly = yes
store_path2 = /data/p2
subdir_count_per_path = 16
tracker_server = 192.168.0.196:22122
tracker_server = 192.168.0.197,59.1.2.3:22122
tracker_server = 192.168.0.196
fsync_after_written_bytes = 0
upload_priority = 5
log_level = crit
[access-log]
enabled = true
time_precision = us
`;

test("a tracker.conf becomes the same tracker", () => {
  const imported = importTexts({ "tracker.conf": trackerConf });
  expect(imported.problems).toEqual([]);
  expect(settings(imported)).toEqual([
    "[node]",
    'data_dir = "/opt/fastdfs/cairn"',
    'roles = ["tracker"]',
    'bind = ["0.0.0.0"]',
    'allow_hosts = ["10.0.1.[1-15,20]", "192.168.5.64/26"]',
    "max_connections = 1024",
    'connect_timeout = "5s"',
    'network_timeout = "1m"',
    "[tracker]",
    "port = 22122",
    'store_lookup = "most-free"',
    'store_server = "round-robin"',
    'reserved_space = "20%"',
    'check_active_interval = "2m"',
    'response_address_size = "46"',
    'storage_ids_file = "/etc/fdfs/storage_ids.conf"',
    'id_type_in_filename = "id"',
    'adopt_base_path = "/opt/fastdfs"',
    "[tracker.trunk]",
    "enabled = false",
    'slot_max_size = "1MiB"',
    'create_file_time_base = "02:00"',
  ]);
  expect(imported.leftOut.map(({ line, key, value }) => `${line} ${key}=${value}`)).toEqual([
    "2 disabled=false",
    "9 work_threads=4",
    "23 log_file_keep_days=15",
    "24 my_own_key=1",
    "26 log_file_keep_days=3",
  ]);
  expect(imported.leftOut.find(({ key }) => key === "my_own_key")?.reason).toBe(
    "FastDFS 6.16 does not know this key",
  );
});

test("a storage.conf becomes the same storage, whose binlog is taken over", () => {
  const imported = importTexts({ "storage.conf": storageConf });
  expect(imported.problems).toEqual([]);
  const { node, storage } = load(imported.toml);
  expect(node).toMatchObject({
    roles: ["storage"],
    bind: ["0.0.0.0", "::"],
    dataDir: "/data/fdfs/cairn",
    logLevel: "error",
  });
  expect(storage).toMatchObject({
    port: 23001,
    group: "group2",
    trackers: [
      { addresses: ["192.168.0.196"], port: 22122 },
      { addresses: ["192.168.0.197", "59.1.2.3"], port: 22122 },
    ],
    paths: [
      { directory: "/data/p0", readonly: false, takeOver: false },
      { directory: "/data/p1", readonly: true, takeOver: false },
    ],
    subdirCount: 16,
    heartBeatIntervalMs: 30_000,
    uploadPriority: 5,
    adoptBasePath: "/data/fdfs",
    accessLog: "/data/fdfs/logs/storage_access.log",
  });
  expect(imported.leftOut.map(({ key }) => key)).toEqual([
    "store_path2",
    "fsync_after_written_bytes",
    "time_precision",
  ]);
});

test("each setting says from which key and line it comes", () => {
  const { toml } = importTexts({ "storage.conf": storageConf });
  expect(toml).toContain(
    "# The group that this storage belongs to; storages of one group hold the same files. (group_name, storage.conf:2)\ngroup = ",
  );
  expect(toml).toContain("(store_path1, storage.conf:10)\n[[storage.path]]\n");
});

test("where the two files disagree the storage's value is taken, and the other one listed", () => {
  const imported = importTexts({ "tracker.conf": trackerConf, "storage.conf": storageConf });
  expect(load(imported.toml).node).toMatchObject({
    roles: ["tracker", "storage"],
    connectTimeoutMs: 10_000,
  });
  expect(
    imported.leftOut.filter(
      ({ source, key }) => source.endsWith("tracker.conf") && key === "connect_timeout",
    ),
  ).toEqual([
    {
      source: "/etc/fdfs/tracker.conf",
      line: 5,
      key: "connect_timeout",
      value: "5s",
      reason:
        "/etc/fdfs/storage.conf says 10; one value holds for all roles of a node, and the storage's was taken",
    },
  ]);
});

test("the nginx module's settings become the gateway's, with what it includes", () => {
  const text = "tracker_server=10.0.0.1\nresponse_mode=proxy\n#include http.conf\n";
  const http =
    "http.default_content_type = text/plain\nhttp.anti_steal.check_token=true\nhttp.anti_steal.token_ttl=900\nhttp.anti_steal.secret_key=FastDFS1234567890\nhttp.anti_steal.token_check_fail=no.jpg";
  const files: readonly ImportFile[] = [
    { kind: "mod_fastdfs.conf", path: "/etc/fdfs/mod_fastdfs.conf", text },
  ];
  const imported = importConf(files, (path) => (path === "/etc/fdfs/http.conf" ? http : undefined));
  expect(imported.problems).toEqual([]);
  expect(load(imported.toml)).toMatchObject({
    node: { roles: ["gateway"] },
    storage: { trackers: [{ addresses: ["10.0.0.1"], port: 22122 }] },
    gateway: {
      urlHasGroup: false,
      defaultContentType: "text/plain",
      antiLeech: {
        check: true,
        secret: "FastDFS1234567890",
        ttlMs: 900_000,
        failFile: "/etc/fdfs/no.jpg",
      },
    },
  });
});

test("bad values are left out and reported with their line", () => {
  const text = [
    "base_path = /b",
    "port = 70000",
    "reserved_storage_space = 120%",
    "store_lookup = 1",
    "trust_storage_server_id = ja",
    "use_storage_id = on",
    "connect_timeout = 5",
    "connect_timeout = x",
    "trunk_file_size = 4MB",
    "slot_max_size = 3MB",
  ].join("\n");
  const imported = importTexts({ "tracker.conf": text });
  expect(
    imported.problems.map((each) => `${each.line} ${each.key}: ${each.message.split(";").at(0)}`),
  ).toEqual([
    "4 store_lookup: 1 needs a store_group",
    "6 use_storage_id: needs storage_ids_filename",
    "2 port: 70000 is not allowed",
    '3 reserved_storage_space: "120%" is not allowed',
    '5 trust_storage_server_id: "ja" is neither true nor false',
    "8 connect_timeout: stands 2 times",
    '8 connect_timeout: "x" is not allowed',
    "10 slot_max_size: left out: larger than half of tracker.trunk.file_size",
  ]);
  expect(load(imported.toml).tracker).toMatchObject({
    port: 22122,
    trunk: { fileSizeBytes: 4 * 1024 ** 2 },
  });
});

test("store paths end at the first that is missing, since the others would change their number", () => {
  const text =
    "group_name=g\ntracker_server=t\nbase_path=/b\nstore_path_count=4\nstore_path1=/p1\nstore_path3=/p3";
  const imported = importTexts({ "storage.conf": text });
  expect(load(imported.toml).storage.paths.map((path) => path.directory)).toEqual(["/b", "/p1"]);
  expect(imported.problems.map(formatProblem)).toEqual([
    "/etc/fdfs/storage.conf:4: store_path2: missing; this store path and those after it were not taken",
  ]);
});

test("a store path that stands twice ends the list as well", () => {
  const text =
    "group_name=g\ntracker_server=t\nstore_path_count=3\nstore_path0=/p\nstore_path1=/p\nstore_path2=/q";
  const imported = importTexts({ "storage.conf": text });
  expect(load(imported.toml).storage.paths.map((path) => path.directory)).toEqual(["/p"]);
  expect(imported.problems.map(({ line, key }) => `${line} ${key}`)).toEqual([
    "5 store_path1",
    "6 store_path2",
  ]);
});

test("a wrong count of store paths takes none", () => {
  const imported = importTexts({
    "storage.conf": "group_name=g\ntracker_server=t\nstore_path_count=many\nstore_path0=/p",
  });
  expect(imported.problems.map(({ line, key }) => `${line} ${key}`)).toEqual([
    "3 store_path_count",
  ]);
  expect(settings(imported)).not.toContain("[[storage.path]]");
});

test("what cannot be read of who may connect closes the door instead of opening it", () => {
  const partly = importTexts({
    "tracker.conf": "allow_hosts = 10.0.0.1\nallow_hosts = 10.0.0.0/99",
  });
  expect(settings(partly)).toContain('allow_hosts = ["10.0.0.1"]');
  const wholly = importTexts({ "tracker.conf": "allow_hosts = 10.0.0.0/99\nbind_addr = eth0" });
  expect(settings(wholly)).toContain('allow_hosts = ["127.0.0.1"]');
  expect(settings(wholly)).toContain('bind = ["127.0.0.1"]');
});

test("a token check without secret leaves the gateway out", () => {
  const imported = importTexts({
    "mod_fastdfs.conf": "tracker_server=t\nhttp.anti_steal.check_token=1",
    "tracker.conf": "",
  });
  expect(load(imported.toml).node.roles).toEqual(["tracker"]);
  expect(imported.problems.map(({ key }) => key)).toEqual(["http.anti_steal.check_token"]);
});

test("a storage that names no group or tracker is told so", () => {
  const imported = importTexts({ "storage.conf": "base_path=/b" });
  expect(imported.problems.map(({ key }) => key)).toEqual(["group_name", "tracker_server"]);
  expect(load(imported.toml).node.roles).toEqual(["storage", "tracker"]);
});

test("a port that a built-in one takes already is left out", () => {
  const imported = importTexts({
    "tracker.conf": "port = 23000",
    "storage.conf": "group_name=g\ntracker_server=t\nbase_path=/b",
  });
  expect(imported.problems.map(formatProblem)).toEqual([
    "/etc/fdfs/tracker.conf:1: port: left out: 23000 is the port of tracker.port already",
  ]);
  expect(load(imported.toml).tracker.port).toBe(22122);
});

test("the words of bind_addr and address_family become addresses", () => {
  const bind = (text: string): readonly string[] =>
    load(importTexts({ "tracker.conf": text }).toml).node.bind;
  expect(bind("bind_addr=ipv4,ipv6\naddress_family=auto")).toEqual(["0.0.0.0", "::"]);
  expect(bind("bind_addr=10.0.0.1")).toEqual(["10.0.0.1"]);
  expect(bind("bind_addr=\naddress_family=IPv6")).toEqual(["::"]);
  expect(bind("bind_addr=\naddress_family=IPv4")).toEqual(["0.0.0.0"]);
});

test("nothing to import gives a text that loads", () => {
  expect(load(importConf([]).toml).node.roles).toEqual(["tracker"]);
});

/** Keys of all files. */
const keys = [
  "port bind_addr address_family base_path connect_timeout network_timeout max_connections allow_hosts log_level disabled",
  "store_lookup store_group store_server store_path download_server reserved_storage_space check_active_interval",
  "use_storage_id storage_ids_filename id_type_in_filename use_trunk_file slot_min_size slot_max_size trunk_file_size",
  "trunk_create_file_time_base response_ip_addr_size group_name tracker_server store_path_count store_path0 store_path1",
  "store_path1_readonly store_path2 subdir_count_per_path upload_priority server_id heart_beat_interval",
  "file_distribute_path_mode http.anti_steal.check_token http.anti_steal.secret_key http.default_content_type",
  "http.anti_steal.token_ttl url_have_group_name xyz",
]
  .join(" ")
  .split(" ");

/** Values of every kind. */
const values = [
  "",
  "0",
  "1",
  "2",
  "3",
  "-1",
  "256",
  "22122",
  "23000",
  "8080",
  "true",
  "x",
  "10%",
  "4MB",
  "64K",
  "2G",
  "1:2",
  "/a",
  "/b",
  "c/d",
  "::",
  "10.0.0.1",
  "t:1",
  "a,b:1",
  "[::1]:1",
  "id",
  "ipv6",
  "group1",
  "text/plain",
  '"\\\u0000\u0007',
  "é\ud83d",
];

/**
 * Goal: whatever stands in FastDFS's files, the written text loads. Method: files are made of FastDFS's keys with values of
 * every kind, right and wrong, in any number and order.
 */
test("the text of an import always loads", () => {
  const line = fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .tuple(fc.constantFrom(...keys), fc.constantFrom(...values))
        .map(([key, value]) => `${key} = ${value}`),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "[access-log]",
        "enabled = 1",
        "[]",
        "#@if",
        "#include x",
        "= 1",
        "# x",
      ),
    },
  );
  const text = fc.array(line, { maxLength: 25 }).map((lines) => lines.join("\n"));
  const files = fc.record(
    { "tracker.conf": text, "storage.conf": text, "mod_fastdfs.conf": text },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(files, (texts) => {
      const { toml } = importTexts(texts);
      expect(() => load(toml)).not.toThrow();
    }),
    { numRuns: 300 },
  );
});
