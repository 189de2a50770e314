/** How the node is, in the words of the `status` operation: what serves, what does not, and what to do about it. */

import type { Config } from "#config/schema.ts";
import type { NodeStatus } from "#control/operations/system.ts";
import type { RunningNode } from "#daemon/compose.ts";
import { leadershipStatus } from "#daemon/leadership-status.ts";
import { repairProblems, repairStatus } from "#daemon/peer-operations.ts";
import { recheckProblem } from "#daemon/recheck-status.ts";
import { scrubProblems } from "#daemon/scrub-status.ts";
import { syncProblems, syncStatus } from "#daemon/sync-status.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import { formatEndpoint } from "#model/endpoint.ts";
import { readWriteMode, readWriteModeName, storageStatusCaption } from "#model/storage-status.ts";
import type { ConnectionCounts } from "#net/frame-server.ts";
import type { Host } from "#platform/host.ts";
import { isGone } from "#storage/peer-directory.ts";

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
  const { storePaths, trackers, membership, ...first } = halfStatus(node);
  const { leadership, problems: electionProblems } = leadershipStatus(node);
  const second = mirrorStatus(node);
  const isMirror = second !== undefined;
  const problems = [
    ...first.problems.map((problem) =>
      isMirror ? `First half of the mirror: ${problem}` : problem,
    ),
    ...(second?.problems ?? []).map((problem) => `Second half of the mirror: ${problem}`),
    ...electionProblems,
  ];
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
    leadership,
    membership,
    ...first.repair,
    links: first.links,
    mirror: second?.half,
    problems,
  };
}

/** The only storage, or a half of a mirror. */
type StorageOf = Pick<RunningNode, "store" | "storage">;

function halfStatus(node: StorageOf) {
  const problems: string[] = [];
  const storePaths = (node.store?.paths ?? []).map((path) => {
    const { index, directory, state, readOnly, totalBytes, freeBytes, trunkFiles, problem } = path;
    if (problem !== undefined) problems.push(pathProblem({ index, directory, state, problem }));
    const doubt = recheckProblem(path);
    if (doubt !== undefined) problems.push(doubt);
    const packing = node.store?.packing.modeOf(index) ?? "off";
    const room = { totalBytes, freeBytes, packing, trunkFiles };
    return { index, directory, state, readOnly, ...room, problem };
  });
  problems.push(...scrubProblems(node.storage?.snapshot().scrubs ?? [], node.store?.paths ?? []));
  const trackers = (node.storage?.snapshot().trackers ?? []).map(({ tracker, state, problem }) => {
    if (state !== "joined") {
      problems.push(
        state === "refused"
          ? `Tracker ${tracker} does not take this storage, so that clients are not sent here: ${problem}.`
          : `Tracker ${tracker} does not know this storage (${problem}); clients are not sent here. Check storage.trackers and the network.`,
      );
    }
    return { endpoint: tracker, state, problem: problem === "" ? undefined : problem };
  });
  const membership = membershipOf(node);
  // Where no tracker knows this storage, each of them was named above.
  const isHeard = trackers.some(({ state }) => state === "joined");
  if (membership?.problem !== undefined && isHeard) problems.push(membership.problem);
  const links = syncStatus(node.storage?.snapshot().replication);
  problems.push(...syncProblems(links));
  const repair = repairStatus(node.storage);
  problems.push(...repairProblems(repair));
  return { storePaths, trackers, membership, repair, links, problems };
}

function mirrorStatus({ mirror, address }: RunningNode) {
  if (mirror === undefined) return undefined;
  const { repair, problems, ...serves } = halfStatus(mirror);
  const endpoint = formatEndpoint({ address, port: mirror.storage.port });
  return { half: { half: "second" as const, endpoint, ...serves, ...repair }, problems };
}

function membershipOf({ storage }: StorageOf): NodeStatus["membership"] {
  if (storage === undefined) return undefined;
  const { group, mode = readWriteMode.both } = storage.snapshot();
  const { status, since, problem, peers } = group;
  const members = peers
    .filter((peer) => !isGone(peer.status))
    .map(({ id, addresses, port, status: theirs, mode: allows, cairn }) => {
      const address = addresses[0];
      const software = cairn === undefined ? undefined : cairn ? "cairn" : "original";
      return {
        id,
        endpoint: address === undefined ? "" : formatEndpoint({ address, port }),
        status: storageStatusCaption(theirs),
        mode: readWriteModeName(allows),
        software: software as "cairn" | "original" | undefined,
      };
    });
  const own = { status: storageStatusCaption(status), since, problem };
  return { ...own, mode: readWriteModeName(mode), members };
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
  if (node.mirror !== undefined) {
    const { port, snapshot } = node.mirror.storage;
    add("storage (second half)", port, snapshot().connections);
  }
  add("gateway", node.gateway?.port);
  return found;
}

function countsOf(connections: ConnectionCounts | undefined): RoleStatus["connections"] {
  if (connections === undefined) return undefined;
  const { current, peak, limit } = connections;
  return { current, peak, limit };
}
