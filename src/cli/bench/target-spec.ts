/** What a benchmark is told about a target: where it is, and what cannot be asked of it. Pure. */
import { usageError } from "#cli/parse-arguments.ts";
import { type Endpoint, parseEndpoint } from "#model/endpoint.ts";

export interface TargetSpec {
  /** In every line of the result. */
  readonly name: string;
  readonly trackers: readonly Endpoint[];
  /** Given, the tracker is not asked where to store. */
  readonly storages: readonly Endpoint[];
  /** Processes of the servers, on this machine. */
  readonly processes: readonly number[];
  /** In the words of whoever knows. */
  readonly durability: string | undefined;
  /** A directory of the store path, on this machine. */
  readonly storePath: string | undefined;
  /** The control socket of a Cairn node. */
  readonly socket: string | undefined;
}

const trackerPort = 22_122;
const storagePort = 23_000;
const keys = ["tracker", "storage", "pid", "durability", "store-path", "socket"];
export const targetForm = `NAME=KEY=VALUE,KEY=VALUE with the keys ${keys.join(", ")}`;

/**
 * `c=tracker=10.0.0.5:22122,pid=12,pid=13,durability=never flushed`; `tracker`, `storage` and `pid` may stand several times, and
 * one of tracker, storage and socket must. Throws `usage`.
 */
export function parseTarget(text: string): TargetSpec {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(0, at)).trim();
  if (name === "") throw usageError(`--target "${text}" has no name: write ${targetForm}`);
  const values = new Map<string, string[]>();
  for (const word of text.slice(at + 1).split(",")) {
    const [key = "", ...rest] = word.split("=");
    const given = values.get(key) ?? [];
    values.set(key, given);
    given.push(rest.join("="));
  }
  for (const [key, given] of values) {
    if (!keys.includes(key)) {
      throw usageError(`--target ${name}: "${key}" is none of ${keys.join(", ")}`);
    }
    const single = !["tracker", "storage", "pid"].includes(key);
    if (single && given.length > 1) throw usageError(`--target ${name}: ${key} stands twice`);
    if (given.includes("")) throw usageError(`--target ${name}: ${key} has no value`);
  }
  const all = (key: string): readonly string[] => values.get(key) ?? [];
  const spec: TargetSpec = {
    name,
    trackers: all("tracker").map((word) => parsePlace(word, "tracker", trackerPort)),
    storages: all("storage").map((word) => parsePlace(word, "storage", storagePort)),
    processes: all("pid").map(parseProcess),
    durability: all("durability")[0],
    storePath: all("store-path")[0],
    socket: all("socket")[0],
  };
  if (spec.trackers.length + spec.storages.length === 0 && spec.socket === undefined) {
    throw usageError(`--target ${name} needs a tracker, a storage or the socket of a node`);
  }
  return spec;
}

/** Throws `usage`. */
export function parseStorage(text: string): Endpoint {
  return parsePlace(text, "storage", storagePort);
}

/** Throws `usage`. */
export function parseProcess(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw usageError(`"${text}" is no process: write its number`);
}

function parsePlace(text: string, what: string, port: number): Endpoint {
  const endpoint = parseEndpoint(text, port);
  if (endpoint !== undefined) return endpoint;
  throw usageError(`"${text}" is not the address of a ${what}; write host:port, or [v6]:port`);
}
