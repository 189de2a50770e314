/** What other trackers ask: how we are placed for leadership, who leads, our system files (protocol §2.5). */
import { formatEndpoint } from "#model/endpoint.ts";
import type { GroupName } from "#model/group-name.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import { nowSeconds } from "#platform/clock.ts";
import type { trackerCluster } from "#protocol/fastdfs/tracker-cluster.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { statusTimeUnitSeconds } from "#tracker/limits.ts";
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
  const { leadership, registry } = core;
  return {
    getTrackerStatus: () => {
      if (registry.groups.length === 0) throw notFound("no groups yet");
      // Among several we do not stand for election: the last rank makes another one go on without waiting for us.
      if (!leadership.isAlone && !leadership.isLeader) {
        return { isLeader: false, runningTime: 0, restartInterval: wholeUnits(0x7fffffff) };
      }
      return {
        isLeader: leadership.isLeader,
        runningTime: wholeUnits(nowSeconds(core.clock) - core.startedAt),
        restartInterval: wholeUnits(core.restartInterval),
      };
    },
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
      const connections = { allocated: 0, current: 0, max: 0 };
      leadership.follow(key, { endpoint, upTime, version, connections, lastPingTime: 0 });
      return undefined;
    },
    pingLeader: ({ connections }, session) => {
      requireLeader(core);
      const { facts } = session;
      const follower =
        facts.follower === undefined ? undefined : leadership.followers.get(facts.follower);
      if (follower === undefined) throw invalid("JOIN_LEADER is missing");
      follower.lastPingTime = nowSeconds(core.clock);
      if (connections !== undefined) follower.connections = connections;
      return { groups: trunkServersFor(core, facts) };
    },
    notifyNextLeader: ({ leader }) => {
      const result = leadership.nominate(leader);
      if (result === "unknown") throw notFound("not a known tracker");
      if (result === "stepped-down") throw invalid("this tracker led until now");
      return undefined;
    },
    commitNextLeader: ({ leader }) => {
      const result = leadership.commit(leader);
      if (result === "unknown") throw notFound("not a known tracker");
      if (result === "not-nominated") throw invalid("not the candidate");
      core.log.notice("tracker-leader", { leader: formatEndpoint(leader) });
      return undefined;
    },
    notifyReselectLeader: () => {
      requireLeader(core);
      leadership.stepDown();
      return undefined;
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
      const part = systemFiles.part(facts.hold ?? systemFiles.glance(), fileIndex, offset);
      if (part === undefined) throw invalid("no such file or offset");
      return part;
    },
    getSysFilesEnd: (_request, session) => {
      releaseSystemFiles(core, session);
      return undefined;
    },
  };
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

function requireLeader(core: TrackerCore): void {
  if (!core.leadership.isLeader) {
    throw new WireStatusError(wireStatus.notSupported, "this tracker does not lead");
  }
}

function wholeUnits(seconds: number): number {
  return Math.max(0, Math.floor(seconds / statusTimeUnitSeconds)) * statusTimeUnitSeconds;
}
