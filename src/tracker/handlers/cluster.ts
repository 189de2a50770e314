/** What other trackers ask: how we are placed for leadership, who leads, our system files (protocol §2.5). */
import { formatEndpoint } from "#model/endpoint.ts";
import type { GroupName } from "#model/group-name.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import { nowSeconds } from "#platform/clock.ts";
import type { trackerCluster } from "#protocol/fastdfs/tracker-cluster.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { Follower } from "#tracker/election/leadership.ts";
import { type Placement, wholeUnits } from "#tracker/election/placement.ts";
import type { SystemFileHold } from "#tracker/system-file-hold.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import {
  invalid,
  notFound,
  type TrackerFacts,
  type TrackerSession,
} from "#tracker/tracker-facts.ts";

export function clusterHandlers(core: TrackerCore): Handlers<typeof trackerCluster, TrackerFacts> {
  return { ...leadershipHandlers(core), ...systemFileHandlers(core) };
}

/** The session is over: nobody copies on it any more. */
export function releaseSystemFiles(
  core: TrackerCore,
  session: Pick<TrackerSession, "facts">,
): void {
  const { hold } = session.facts;
  session.facts.hold = undefined;
  if (hold !== undefined) core.systemFiles.close(hold);
}

type Cluster = Handlers<typeof trackerCluster, TrackerFacts>;

function leadershipHandlers(
  core: TrackerCore,
): Pick<
  Cluster,
  | "getTrackerStatus"
  | "joinLeader"
  | "pingLeader"
  | "notifyNextLeader"
  | "commitNextLeader"
  | "notifyReselectLeader"
> {
  const { leadership } = core;
  return {
    getTrackerStatus: () => {
      const placement = placementOf(core);
      if (placement === undefined) throw notFound("no groups yet");
      return placement;
    },
    ...followerHandlers(core),
    notifyNextLeader: ({ leader }) => {
      const result = leadership.nominate(leader);
      if (result === "unknown") throw notFound("not a known tracker");
      if (result === "noted") return undefined;
      throw invalid(
        result === "follows" ? "the leader of this tracker is well" : "this tracker led until now",
      );
    },
    commitNextLeader: ({ leader }) => {
      const result = leadership.commit(leader);
      if (result === "unknown") throw notFound("not a known tracker");
      if (result !== "leads") throw invalid("not the candidate");
      return undefined;
    },
    notifyReselectLeader: () => {
      requireLeader(core);
      leadership.reselect(core.election.pauseMs());
      return undefined;
    },
  };
}

function followerHandlers(core: TrackerCore): Pick<Cluster, "joinLeader" | "pingLeader"> {
  const { leadership } = core;
  return {
    joinLeader: ({ upTime, version, port }, session) => {
      requireLeader(core);
      if (session.facts.follower !== undefined) {
        throw new WireStatusError(wireStatus.exists, "joined on this connection already");
      }
      const endpoint = { address: session.remoteAddress, port };
      if (leadership.find(endpoint) === undefined) throw notFound("not a known tracker");
      const key = formatEndpoint(endpoint);
      session.facts.follower = key;
      session.facts.trunkServersTold = -1;
      const follower: Follower = {
        endpoint,
        upTime,
        version,
        connections: { allocated: 0, current: 0, max: 0 },
        lastPingTime: 0,
        pingedAtMs: Number.NEGATIVE_INFINITY,
        countersRead: false,
        fileIds: new Map(),
      };
      leadership.follow(key, follower);
      core.election.readCounters(follower);
      return undefined;
    },
    pingLeader: ({ connections }, session) => {
      requireLeader(core);
      const { facts } = session;
      const follower =
        facts.follower === undefined ? undefined : leadership.followers.get(facts.follower);
      if (follower === undefined) throw invalid("JOIN_LEADER is missing");
      follower.lastPingTime = nowSeconds(core.clock);
      follower.pingedAtMs = core.clock.monotonicMs();
      if (connections !== undefined) follower.connections = connections;
      // It asks on only after it has the answer.
      if (facts.groupsRead !== undefined) follower.fileIds = facts.groupsRead.fileIds;
      return { groups: trunkServersFor(core, facts) };
    },
  };
}

function systemFileHandlers(
  core: TrackerCore,
): Pick<Cluster, "getSysFilesStart" | "getOneSysFile" | "getSysFilesEnd"> {
  const { systemFiles, registry } = core;
  return {
    getSysFilesStart: (_request, { facts }) => {
      if (registry.groups.length === 0) throw notFound("no groups yet");
      if (facts.hold !== undefined) systemFiles.close(facts.hold);
      facts.hold = systemFiles.open();
      if (facts.hold === undefined) {
        throw new WireStatusError(wireStatus.busy, "another tracker is copying");
      }
      return undefined;
    },
    getOneSysFile: ({ fileIndex, offset }, { facts }) => {
      const files = facts.hold ?? filesFor(core, facts, { fileIndex, offset });
      const part = systemFiles.part(files, fileIndex, offset);
      if (part === undefined) throw invalid("no such file or offset");
      return part;
    },
    getSysFilesEnd: (_request, session) => {
      releaseSystemFiles(core, session);
      return undefined;
    },
  };
}

/** A follower reads the groups as they are now, and its next ping says that it has them; others get what may be some seconds old. */
function filesFor(
  core: TrackerCore,
  facts: TrackerFacts,
  { fileIndex, offset }: { readonly fileIndex: number; readonly offset: number },
): SystemFileHold {
  if (facts.follower === undefined || fileIndex !== 0) return core.systemFiles.glance();
  if (offset === 0 || facts.groupsRead === undefined) {
    const { groups } = core.registry;
    const fileIds = new Map(groups.map((group) => [group.name, group.currentTrunkFileId]));
    facts.groupsRead = { files: core.systemFiles.fresh(), fileIds };
  }
  return facts.groupsRead.files;
}

/** Everything at first, then only after a change. */
function trunkServersFor(
  core: TrackerCore,
  facts: TrackerFacts,
): readonly { group: GroupName; trunkServer: StorageId | undefined }[] {
  const { groups } = core.registry;
  const version = groups.reduce((total, group) => total + group.trunkServerVersion, groups.length);
  if (facts.trunkServersTold === version) return [];
  facts.trunkServersTold = version;
  return groups.map((group) => ({ group: group.name, trunkServer: group.trunkServer }));
}

/** As GET_STATUS tells it; undefined while there are no groups: then we take no part in elections. */
export function placementOf(core: TrackerCore): Placement | undefined {
  if (core.registry.groups.length === 0) return undefined;
  // Before the first join it is not known whether there are others.
  const isLeader = core.leadership.trackers.length > 0 && core.leadership.isLeader;
  const runningMs = core.clock.monotonicMs() - core.startedAtMs;
  return {
    isLeader,
    runningTime: wholeUnits(runningMs / 1000),
    restartInterval: wholeUnits(core.restartInterval),
  };
}

function requireLeader(core: TrackerCore): void {
  if (!core.leadership.isLeader) {
    throw new WireStatusError(wireStatus.notSupported, "this tracker does not lead");
  }
}
