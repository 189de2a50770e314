/** Settings of the node as a whole: `[node]`. */
import { setting, table } from "#config/setting.ts";
import {
  addressRule,
  choice,
  duration,
  integer,
  ipAddress,
  list,
  path,
  text,
} from "#config/value-types.ts";

export const nodeSection = table("The node as a whole: what all roles share.", {
  name: setting(text({ maxLength: 63 }), {
    default: "",
    applies: "daemon-restart",
    says: "What people call this node, in status and metrics; empty means the host name.",
  }),
  data_dir: setting(path(), {
    default: "./data",
    applies: "daemon-restart",
    says: "Directory for all state of the node, and for its files where no store path is given.",
  }),
  address: setting(ipAddress("auto"), {
    default: "auto",
    applies: "role-restart",
    says: "The IP address that trackers and clients are told and that goes into file ids; auto takes the address of the network card that leads to the tracker.",
  }),
  roles: setting(list(choice("tracker", "storage", "gateway"), { min: 1, max: 3 }), {
    default: ["tracker", "storage", "gateway"],
    applies: "daemon-restart",
    says: "Which roles run in this process.",
  }),
  bind: setting(list(ipAddress(), { min: 1, max: 16 }), {
    default: ["0.0.0.0"],
    applies: "role-restart",
    fastdfs: "tracker.conf bind_addr, storage.conf bind_addr",
    says: 'Addresses to listen on; "0.0.0.0" is every IPv4 address, "::" every IPv6 one.',
  }),
  allow_hosts: setting(list(addressRule(), { min: 1, max: 256 }), {
    default: ["*"],
    applies: "now",
    fastdfs: "tracker.conf allow_hosts, storage.conf allow_hosts",
    says: "Who may connect to the tracker and storage ports; everybody else is disconnected at once.",
  }),
  max_connections: setting(integer({ min: 1, max: 1_000_000, unit: "connections" }), {
    default: 16_384,
    applies: "role-restart",
    fastdfs: "tracker.conf max_connections, storage.conf max_connections",
    says: "How many connections each role serves at the same time; further ones are closed at once.",
  }),
  connect_timeout: setting(duration({ min: "100ms", max: "10m" }), {
    default: "5s",
    applies: "role-restart",
    fastdfs: "tracker.conf connect_timeout, storage.conf connect_timeout",
    says: "How long a connection to another node may take to open.",
  }),
  network_timeout: setting(duration({ min: "100ms", max: "1h" }), {
    default: "30s",
    applies: "role-restart",
    fastdfs: "tracker.conf network_timeout, storage.conf network_timeout",
    says: "How long a peer may stay silent in the middle of an exchange before its connection is closed.",
  }),
  stop_timeout: setting(duration({ min: "0s", max: "1h" }), {
    default: "30s",
    applies: "now",
    says: "How long uploads and downloads under way may take to finish when the daemon stops.",
  }),
  log_level: setting(choice("error", "warn", "notice", "info", "debug"), {
    default: "info",
    applies: "now",
    fastdfs: "tracker.conf log_level, storage.conf log_level",
    fastdfsValues: { emerg: "error", alert: "error", crit: "error" },
    says: "The most talkative level of log lines that are written.",
  }),
  log_format: setting(choice("auto", "logfmt", "json", "pretty"), {
    default: "auto",
    applies: "daemon-restart",
    says: "How log lines look; auto is pretty on a terminal and logfmt elsewhere.",
  }),
  control_socket: setting(path({ mayBeEmpty: true }), {
    default: "",
    applies: "daemon-restart",
    says: "Unix socket through which `cairn status` and others reach the daemon; empty means cairn.sock in data_dir.",
  }),
});
