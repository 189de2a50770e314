/**
 * A target as it is found: its servers, the processes behind them, and what its figures mean: how durable an answer is, and the
 * file system below. A Cairn node of this machine is asked for all that over its control socket; of others one has to be told.
 */
import { AppError } from "#base/app-error.ts";
import type { TargetSpec } from "#cli/bench/target-spec.ts";
import type { ControlClient } from "#cli/control-client.ts";
import { usageError } from "#cli/parse-arguments.ts";
import { type NodeStatus, showConfig, status } from "#control/operations/system.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "#model/endpoint.ts";
import type { LocalFiles } from "#platform/local-files.ts";
import type { Network } from "#platform/network.ts";

export interface BenchTarget {
  readonly name: string;
  /** Empty where only a storage was named. */
  readonly trackers: readonly Endpoint[];
  readonly storages: readonly Endpoint[];
  readonly processes: readonly number[];
  /** `flushed`, `relaxed`, what somebody said, or `unknown`. */
  readonly durability: string;
  /** `ext4 on /dev/vda`, or `unknown`. */
  readonly fileSystem: string;
  /** `Cairn 0.1.0`; undefined where it was not asked. */
  readonly version: string | undefined;
}

export interface TargetWorld {
  readonly network: Pick<Network, "addresses">;
  readonly files: Pick<LocalFiles, "fileSystemOf">;
  /** The daemon at a socket; the usual one without a path. */
  controlClient(path: string | undefined): ControlClient;
  /** Asks the trackers who takes new files. */
  writers(trackers: readonly Endpoint[]): Promise<readonly Endpoint[]>;
  readonly signal: AbortSignal;
}

const unknown = "unknown";
const loopback = "127.0.0.1";

export async function findTarget(spec: TargetSpec, world: TargetWorld): Promise<BenchTarget> {
  const node = await nodeOf(spec, world);
  const trackers = trackersOf(spec, node?.status);
  const named = spec.storages.length > 0 ? spec.storages : undefined;
  const storages =
    named ??
    (trackers.length > 0 ? await world.writers(trackers) : endpointsOf(node?.status, "storage"));
  if (storages.length === 0) {
    throw new AppError("no-storage", `${spec.name} has no storage that takes new files`);
  }
  const directories =
    spec.storePath === undefined
      ? (node?.status.storePaths.map(({ directory }) => directory) ?? [])
      : [spec.storePath];
  const ownProcess = node === undefined ? [] : [node.status.processId];
  return {
    name: spec.name,
    trackers,
    storages,
    processes: spec.processes.length > 0 ? spec.processes : ownProcess,
    durability: spec.durability ?? node?.durability ?? unknown,
    fileSystem: await fileSystemsOf(directories, world.files),
    version: node === undefined ? undefined : `Cairn ${node.status.version}`,
  };
}

/** Whether an address is one of this machine. */
export function isLocalAddress(address: string, network: Pick<Network, "addresses">): boolean {
  if (/^127\./.test(address) || address === "::1" || address === "localhost") return true;
  return network.addresses().some((own) => own.address === address);
}

interface CairnNode {
  readonly status: NodeStatus;
  readonly durability: string;
}

/** The node at the socket that was named; without one, the daemon of this machine if it is the target. */
async function nodeOf(spec: TargetSpec, world: TargetWorld): Promise<CairnNode | undefined> {
  const local = [...spec.trackers, ...spec.storages].filter(({ address }) =>
    isLocalAddress(address, world.network),
  );
  if (spec.socket === undefined && local.length === 0) return undefined;
  try {
    const client = world.controlClient(spec.socket);
    const found = await client.ask(status, {}, world.signal);
    if (local.length > 0 && !servesAt(found, local)) {
      if (spec.socket === undefined) return undefined;
      throw usageError(`the node at ${spec.socket} does not serve the address of ${spec.name}`);
    }
    const { settings } = await client.ask(showConfig, {}, world.signal);
    const values = new Map(settings.map(({ key, value }) => [key, value.replaceAll('"', "")]));
    return { status: found, durability: durabilityOf(found, values) };
  } catch (error) {
    world.signal.throwIfAborted();
    // Without a socket nobody said that there is a daemon: then the target is somebody else's.
    if (spec.socket === undefined && error instanceof AppError) return undefined;
    throw error;
  }
}

function durabilityOf(found: NodeStatus, values: ReadonlyMap<string, string>): string {
  const words = [values.get("storage.durability") ?? unknown];
  if (found.storePaths.some(({ packing }) => packing !== "off")) words.push("packed");
  if (values.get("storage.dedup") === "true") words.push("dedup");
  return words.join(", ");
}

function servesAt(found: NodeStatus, places: readonly Endpoint[]): boolean {
  const ports = [...endpointsOf(found, "tracker"), ...endpointsOf(found, "storage")].map(
    ({ port }) => port,
  );
  return places.some(({ port }) => ports.includes(port));
}

function trackersOf(spec: TargetSpec, found: NodeStatus | undefined): readonly Endpoint[] {
  return spec.trackers.length > 0 ? spec.trackers : endpointsOf(found, "tracker").slice(0, 1);
}

/** Where a role of the node can be reached from here. */
function endpointsOf(found: NodeStatus | undefined, role: string): readonly Endpoint[] {
  const listening = found?.roles.find(({ name }) => name === role)?.endpoints ?? [];
  return listening.flatMap((text) => {
    const endpoint = parseEndpoint(text);
    if (endpoint === undefined) return [];
    const { address, port } = endpoint;
    if (address === "0.0.0.0") return [{ address: loopback, port }];
    return [{ address: address === "::" ? "::1" : address, port }];
  });
}

async function fileSystemsOf(
  directories: readonly string[],
  files: Pick<LocalFiles, "fileSystemOf">,
): Promise<string> {
  const found = new Set<string>();
  for (const directory of directories) {
    try {
      const { type, source } = await files.fileSystemOf(directory);
      if (type === "") continue;
      found.add(source === "" || source === type ? type : `${type} on ${source}`);
    } catch {
      // A directory that cannot be looked at: not known.
    }
  }
  return found.size === 0 ? unknown : [...found].join(" and ");
}

/** As a person reads it in messages. */
export function placesOf(target: BenchTarget): string {
  return target.storages.map(formatEndpoint).join(", ");
}
