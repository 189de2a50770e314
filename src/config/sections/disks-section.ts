/** Settings of the disks of this machine: `[disks]`. */
import { setting, table } from "#config/setting.ts";
import { byteSize, choice, duration, flag, integer, path } from "#config/value-types.ts";

export const disksSection = table("The disks of this machine, and what the node does with them.", {
  manage: setting(flag(), {
    default: false,
    applies: "daemon-restart",
    says: "Whether the node looks after the disks itself: it watches them come and go, and makes store paths of those that somebody gives to it. Without it, it only looks when it is asked.",
  }),
  probe_period: setting(duration({ min: "1s", max: "1h" }), {
    default: "30s",
    applies: "daemon-restart",
    says: "How often all disks are looked at, beside the looks when one comes, goes or is asked for; this wakes none.",
  }),
  mount_directory: setting(path(), {
    default: "/srv/cairn",
    applies: "daemon-restart",
    says: "Where disks that belong to the node are mounted, each in a directory of its own.",
  }),
  paths_per_disk: setting(integer({ min: 1, max: 4 }), {
    default: 1,
    applies: "daemon-restart",
    says: "How many store paths are made on a disk that is given to the node: several are smaller pieces to be moved to other disks later. Every member of a group needs as many.",
  }),
  rebalance: setting(choice("ask", "off"), {
    default: "ask",
    applies: "daemon-restart",
    says: 'Whether cairn disks hints at a rebalance where one disk carries several store paths and another one fewer, as after one was added: "ask" or "off". Nothing is moved before somebody says yes.',
  }),
  helper_socket: setting(path({ mayBeEmpty: true }), {
    default: "",
    applies: "daemon-restart",
    says: "Unix socket of the process that does what needs the rights of root; empty means that the daemon starts it by itself, which works where it is root.",
  }),
  blank_read_rate: setting(byteSize({ min: "0", max: "10GiB" }), {
    default: "100MiB",
    applies: "daemon-restart",
    says: "How much a second is read, in the background and while no clients are served, of disks on which nothing is known to be, so that they are known to be blank by the time somebody gives them to the node; 0 reads none before it is asked for.",
  }),
  smart_interval: setting(duration({ min: "1m", max: "1d" }), {
    default: "1h",
    applies: "daemon-restart",
    says: "How often a disk that is used is asked for its health (SMART); one that rests is asked once a day, one that sleeps not at all.",
  }),
  short_test_interval: setting(duration({ min: "0s", max: "365d" }), {
    default: "7d",
    applies: "daemon-restart",
    says: "How often each disk tests itself for some minutes, one disk at a time; 0s means never.",
  }),
  long_test_interval: setting(duration({ min: "0s", max: "365d" }), {
    default: "30d",
    applies: "daemon-restart",
    says: "How often each disk reads all of itself in a self-test of some hours, one disk at a time; 0s means never.",
  }),
});
