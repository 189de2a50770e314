/** How the node is, in the words of the `status` operation: what serves, what does not, and what to do about it. */

import type { Config } from "#config/schema.ts";
import type { NodeStatus } from "#control/operations/system.ts";
import type { RunningNode } from "#daemon/compose.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import { formatEndpoint } from "#model/endpoint.ts";
import type { ConnectionCounts } from "#net/frame-server.ts";
import type { Host } from "#platform/host.ts";

export interface StatusFacts {
  readonly node: RunningNode;
  readonly config: Config;
  readonly host: Host;
  readonly version: string;
  /** Unix seconds. */
  readonly startedAt: number;
}

type RoleStatus = NodeStatus["roles"][number];

export function nodeStatus(facts: StatusFacts): NodeStatus {
  const { node, config, host } = facts;
  const problems: string[] = [];
  const storePaths = (node.store?.paths ?? []).map((path) => {
    const { index, directory, state, readOnly, totalBytes, freeBytes, problem } = path;
    if (problem !== undefined) problems.push(pathProblem({ index, directory, state, problem }));
    const packing = node.store?.packing.modeOf(index) ?? "off";
    return { index, directory, state, readOnly, totalBytes, freeBytes, packing, problem };
  });
  const trackers = (node.storage?.snapshot().trackers ?? []).map(({ tracker, state, problem }) => {
    if (state !== "joined") {
      problems.push(
        `Tracker ${tracker} does not know this storage (${problem}); clients are not sent here. Check storage.trackers and the network.`,
      );
    }
    return { endpoint: tracker, state, problem: problem === "" ? undefined : problem };
  });
  return {
    name: nodeName(config, host),
    version: facts.version,
    state: problems.length === 0 ? "ready" : "degraded",
    processId: host.processId,
    startedAt: facts.startedAt,
    address: node.address,
    group: node.storage === undefined ? undefined : config.storage.group,
    residentBytes: host.usage().residentBytes,
    roles: roles(node, config.node.bind),
    storePaths,
    trackers,
    problems,
  };
}

function pathProblem(
  path: Pick<StorePathReport, "index" | "directory" | "state" | "problem">,
): string {
  const { index, directory, state, problem } = path;
  const where = `Store path ${index} (${directory})`;
  // It serves, and cannot be written for the moment.
  if (state === "online") return `${where} cannot take files: ${problem}.`;
  if (state === "opening" || state === "offline") return `${where} is not served: ${problem}.`;
  return `${where} is ${state}: ${problem}.`;
}

/** What people call the node. */
export function nodeName({ node }: Config, host: Pick<Host, "hostname">): string {
  return node.name === "" ? host.hostname : node.name;
}

function roles(node: RunningNode, bind: readonly string[]): RoleStatus[] {
  const found: RoleStatus[] = [];
  const add = (name: string, port: number | undefined, connections?: ConnectionCounts): void => {
    const endpoints =
      port === undefined ? [] : bind.map((address) => formatEndpoint({ address, port }));
    const state = port === undefined ? "off" : "serving";
    found.push({ name, state, endpoints, connections: countsOf(connections), problem: undefined });
  };
  add("tracker", node.tracker?.listeners[0]?.port);
  add("storage", node.storage?.port, node.storage?.snapshot().connections);
  add("gateway", node.gateway?.port);
  return found;
}

function countsOf(connections: ConnectionCounts | undefined): RoleStatus["connections"] {
  if (connections === undefined) return undefined;
  const { current, peak, limit } = connections;
  return { current, peak, limit };
}
