/** Operations of the node as a whole. Sizes in bytes, times in Unix seconds, endpoints as `address:port`. */
import { choice, flag, list, optional, record, text, wholeNumber } from "#base/schema.ts";
import { type OutputOf, operation } from "#control/operation.ts";
import { comparison, recovery } from "#control/operations/peers.ts";
import { syncLink } from "#control/operations/sync-links.ts";

const word = text({ maxLength: 200 });
const sentence = text({ maxLength: 4000 });
const name = text({ maxLength: 4096 });
const nothing = record({});

const connections = record({
  current: wholeNumber(),
  /** Most at the same time since start. */
  peak: wholeNumber(),
  limit: wholeNumber(),
});

const role = record({
  name: word,
  state: choice("starting", "serving", "stopping", "failed", "off"),
  /** Where it listens. */
  endpoints: list(word, { max: 64 }),
  connections: optional(connections),
  /** What is wrong, and what to do. */
  problem: optional(sentence),
});

/** Looking through all trunk files for what is free in them. Sums are over the files that were looked through so far. */
const trunkRebuild = record({
  /** Tells one from another. */
  id: wholeNumber(),
  state: choice("running", "done", "stopped"),
  filesTotal: wholeNumber(),
  files: wholeNumber(),
  /** In use all the time, or gone. */
  skipped: wholeNumber(),
  slots: wholeNumber(),
  freeBytesBefore: wholeNumber(),
  freeBytes: wholeNumber(),
  damagedBytes: wholeNumber(),
  /** Slots that no record of the binlog names; left out where the binlog does not reach back to the first file. */
  unnamed: optional(wholeNumber()),
});

const trunkFiles = record({
  files: wholeNumber(),
  totalBytes: wholeNumber(),
  freeBytes: wholeNumber(),
  /** Files whose free space is not known yet. */
  unknownFiles: wholeNumber(),
  rebuild: optional(trunkRebuild),
});

const storePath = record({
  index: wholeNumber({ max: 255 }),
  directory: name,
  /**
   * `online` serves; `slow` does, and new files go elsewhere; `read-only`, `quarantined` and `checking` serve no changes, and the problem
   * says whether reads.
   */
  state: choice("opening", "online", "slow", "read-only", "quarantined", "checking", "offline"),
  readOnly: flag(),
  totalBytes: wholeNumber(),
  freeBytes: wholeNumber(),
  /** How small files are stored there just now: one by one, in trunk files of this node, or in slots from the group's trunk server. */
  packing: choice("off", "leased", "served"),
  /** Of this node's own; left out where there are none. */
  trunkFiles: optional(trunkFiles),
  problem: optional(sentence),
});

const tracker = record({
  endpoint: word,
  /** `joined`, or what keeps this storage from it. */
  state: word,
  problem: optional(sentence),
});

const member = record({
  id: word,
  /** `address:port`; empty where no tracker told an address. */
  endpoint: word,
  /** FastDFS's word, such as `ACTIVE`. */
  status: word,
  /** What clients may do there. */
  mode: optional(choice("none", "write", "read", "both")),
  /** Left out until it is known. */
  software: optional(choice("cairn", "original")),
});

/** This storage in its group. */
const membership = record({
  status: word,
  since: wholeNumber(),
  /** What clients may do here, by storage.mode and by the table of storage ids. */
  mode: optional(choice("none", "write", "read", "both")),
  /** Why it is no other, and what to do; left out where all is as it should be. */
  problem: optional(sentence),
  /** The other storages of the group, without those that are gone. */
  members: list(member, { max: 64 }),
});

/** The trackers among themselves, as the one of this node sees it. */
const leadership = record({
  role: choice("leader", "follower", "none"),
  /** `address:port`; left out where nobody leads, or a single tracker has heard of no storage yet. */
  leader: optional(word),
  /** When that changed last. */
  since: wholeNumber(),
  /** Why nobody leads. */
  why: optional(sentence),
  /** Told by the leader: all other trackers. */
  followers: list(record({ endpoint: word, active: flag(), lastPing: wholeNumber() }), { max: 16 }),
});

/** One half of a mirror. */
const half = record({
  half: choice("first", "second"),
  /** `address:port`, where it listens. */
  endpoint: word,
  storePaths: list(storePath, { max: 256 }),
  trackers: list(tracker, { max: 64 }),
  membership: optional(membership),
  comparison: optional(comparison),
  recoveries: optional(list(recovery, { max: 256 })),
  links: optional(list(syncLink, { max: 64 })),
});

/** How the node is. */
export const status = operation({
  name: "status",
  says: "How the node is: its roles, store paths and trackers, and what needs a person.",
  access: "viewer",
  effect: "read",
  input: nothing,
  output: record({
    /** What people call the node. */
    name: optional(word),
    version: word,
    /** `ready` serves; `degraded` serves, but `problems` says what does not. */
    state: choice("starting", "ready", "degraded", "stopping"),
    processId: wholeNumber(),
    startedAt: wholeNumber(),
    address: word,
    group: optional(word),
    residentBytes: wholeNumber(),
    roles: list(role, { max: 32 }),
    storePaths: list(storePath, { max: 256 }),
    trackers: list(tracker, { max: 64 }),
    /** Left out where the node is no tracker. */
    leadership: optional(leadership),
    /** Left out where the node is no storage. */
    membership: optional(membership),
    /** To each of the other storages; left out where the node is no storage. */
    links: optional(list(syncLink, { max: 64 })),
    /** Left out where the node is no storage. */
    comparison: optional(comparison),
    /** Store paths that are being filled, or were since the start. */
    recoveries: optional(list(recovery, { max: 256 })),
    /** The second half of a mirror, of which the above is the first; left out where the node is one storage. */
    mirror: optional(half),
    /** What somebody must look at, in words; empty when all is well. */
    problems: list(sentence, { max: 1000 }),
  }),
});

/** The settings that the daemon runs with. */
export const showConfig = operation({
  name: "config.show",
  says: "Every setting of the running daemon, with its origin; secrets are not shown.",
  access: "viewer",
  effect: "read",
  input: nothing,
  output: record({
    settings: list(
      record({
        /** `storage.port`, `storage.path[0].directory`. */
        key: word,
        /** As one would write it in TOML; `<secret>` for a secret that is set. */
        value: text({ maxLength: 65_536 }),
        /** `built-in`, `cairn.toml:12`, `environment CAIRN_STORAGE_PORT`, `command line`. */
        origin: name,
        unit: word,
        applies: choice("now", "role-restart", "daemon-restart"),
        says: sentence,
      }),
      { max: 10_000 },
    ),
  }),
});

/** What runs. */
export const version = operation({
  name: "version",
  says: "The version of the running daemon and of the runtime below it.",
  access: "viewer",
  effect: "read",
  input: nothing,
  output: record({ version: word, runtime: word }),
});

/** Changes how much is logged, until the daemon starts again. */
export const setLogLevel = operation({
  name: "log-level.set",
  says: "Changes which log lines the running daemon writes, until it starts again.",
  access: "operator",
  effect: "change",
  input: record({ level: choice("error", "warn", "notice", "info", "debug") }),
  output: record({ before: word }),
});

export const systemOperations = { status, showConfig, version, setLogLevel } as const;

export type NodeStatus = OutputOf<typeof status>;
export type ShownSetting = OutputOf<typeof showConfig>["settings"][number];
