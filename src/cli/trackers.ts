/** Which trackers a command asks: those named, else those of the environment, the settings here, or this machine. Pure. */
import { usageError } from "#cli/parse-arguments.ts";
import type { Config } from "#config/schema.ts";
import { type Endpoint, parseEndpoint, parseServerEndpoint } from "#model/endpoint.ts";

const defaultPort = 22122;
const thisMachine = "127.0.0.1";

export interface TrackerSources {
  /** The values of `--tracker`. */
  readonly options: readonly string[];
  /** CAIRN_TRACKERS: addresses with commas or blanks between. */
  readonly variable: string | undefined;
  /** Only asked for when nothing else says it. */
  readonly config: () => Config | undefined;
}

/** At least one. Throws `usage`. */
export function chooseTrackers(sources: TrackerSources): readonly Endpoint[] {
  if (sources.options.length > 0) {
    return sources.options.map((text) => parseTracker(text, "--tracker"));
  }
  const words = (sources.variable ?? "").split(/[\s,]+/).filter((word) => word !== "");
  if (words.length > 0) return words.map((text) => parseTracker(text, "CAIRN_TRACKERS"));
  const config = sources.config();
  return config === undefined ? [{ address: thisMachine, port: defaultPort }] : trackersOf(config);
}

/** Those of the storage role; else the tracker of this node, or of this machine. */
export function trackersOf(config: Config): readonly Endpoint[] {
  const { node, storage, tracker } = config;
  const configured = storage.trackers.flatMap(({ addresses, port }) =>
    addresses.map((address) => ({ address, port })),
  );
  if (configured.length > 0) return configured;
  const bound = node.bind.find((address) => address !== "0.0.0.0" && address !== "::");
  const anywhere = node.bind.includes("0.0.0.0") ? thisMachine : "::1";
  return [{ address: bound ?? anywhere, port: tracker.port === 0 ? defaultPort : tracker.port }];
}

function parseTracker(text: string, source: string): Endpoint {
  const endpoint = parseEndpoint(text, defaultPort);
  if (endpoint !== undefined) return endpoint;
  const isList = parseServerEndpoint(text, defaultPort) !== undefined;
  const advice = isList ? "give each address by itself" : "write host:port, or [v6]:port";
  throw usageError(`${source}: "${text}" is not the address of a tracker; ${advice}`);
}
