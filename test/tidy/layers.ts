/**
 * Who may import whom (`src/README.md` draws it). The only place that says so: a new folder of `src/` gets its line here, or
 * the tidy tests fail. Data only.
 */

const vocabulary = ["protocol", "control", "config"];
const words = ["base", "model", ...vocabulary];
const world = [...words, "platform"];
const plainMechanisms = ["net", "state", "tasks"];
const plainReach = [...world, ...plainMechanisms];
const mechanisms = [...plainMechanisms, "client", "filestore", "disks", "sync"];
const roleReach = [...world, ...mechanisms];
const roles = [
  ...["tracker", "storage", "discovery", "ingest"],
  ...["gateway", "health", "updates", "dashboard"],
];

function each(folders: readonly string[], reach: readonly string[]): [string, readonly string[]][] {
  return folders.map((folder) => [folder, reach]);
}

/** Folder of `src/` to the folders it may import from, beside itself. `main` is `src/main.ts`. */
export const layers: ReadonlyMap<string, readonly string[]> = new Map([
  ["base", []],
  ["model", ["base"]],
  ...each(vocabulary, ["base", "model"]),
  ["platform", words],
  ...each(plainMechanisms, world),
  ["client", ["base", "model", "protocol", "platform", "net"]],
  ["filestore", plainReach],
  ["disks", plainReach],
  ["sync", [...plainReach, "filestore"]],
  // A process of its own, which is root: it knows of disks, and of nothing that serves.
  ["helper", ["base", "model", "control", "platform", "disks"]],
  ...each(roles, roleReach),
  ["daemon", [...roleReach, ...roles]],
  ["cli", ["base", "model", "control", "config", "platform", "client"]],
  ["main", [...roleReach, ...roles, "daemon", "cli", "helper"]],
]);

/** The real outside world. Only entries choose it; everybody else is handed an interface. */
export const realWorld = "src/platform/node/";

export interface Entry {
  readonly path: string;
  readonly reason: string;
}

/** Where threads, processes and other people's programs begin: reachability starts here, and these may name the real world. */
export const entries: readonly Entry[] = [
  { path: "src/main.ts", reason: "the process: it puts the real world in" },
  { path: "src/filestore/worker/store-path-worker.ts", reason: "a worker thread" },
  { path: "src/filestore/move/store-path-mover.ts", reason: "a worker thread" },
  { path: "src/client/open-client.ts", reason: "the client package" },
];

/** Files that no entry leads to, and that stay all the same. */
export const keptFiles: readonly Entry[] = [
  {
    path: "src/protocol/fastdfs/all-messages.ts",
    reason: "the whole protocol, declared before all of it is served; tests walk it",
  },
];

/** Beside the real world, who may use which of Node's modules for input and output. */
export const ioModules: ReadonlyMap<string, readonly string[]> = new Map([
  ["src/net/http-server.ts", ["node:http", "node:net"]],
]);

/** Node modules that compute and touch nothing: allowed everywhere, where names are given only these. */
export const pureModules: ReadonlyMap<string, readonly string[] | "all"> = new Map<
  string,
  readonly string[] | "all"
>([
  ["node:buffer", ["Buffer"]],
  [
    "node:crypto",
    [
      ...["createHash", "createHmac", "hash", "timingSafeEqual", "Hash"],
      ...["createPrivateKey", "createPublicKey", "KeyObject", "sign", "verify"],
    ],
  ],
  ["node:path", "all"],
  ["node:path/posix", "all"],
  [
    "node:util",
    ["inspect", "isDeepStrictEqual", "parseArgs", "styleText", "stripVTControlCharacters"],
  ],
  ["node:zlib", ["crc32"]],
]);

/** Foreign packages, and the folders whose business they are. */
export const packageHomes: ReadonlyMap<string, readonly string[]> = new Map([
  ["better-sqlite3", [realWorld]],
  ["systeminformation", [realWorld]],
  ["node-disk-info", [realWorld]],
  ["smol-toml", ["src/config/"]],
  ["@fastify/busboy", ["src/gateway/", "src/net/http-server.ts"]],
]);
