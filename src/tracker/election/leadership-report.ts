/** What an operator sees of the trackers among themselves: who leads, since when, who follows, and why nobody leads. Pure. */
import { formatEndpoint, type ServerEndpoint } from "#model/endpoint.ts";
import type { ElectionPhase } from "#tracker/election/election-machine.ts";
import type { Leadership } from "#tracker/election/leadership.ts";
import { followerSilenceSeconds } from "#tracker/limits.ts";

export interface FollowerReport {
  /** `address:port` */
  readonly tracker: string;
  /** It pinged within the last three seconds. */
  readonly isActive: boolean;
  /** Unix seconds; 0 where it never pinged this leader. */
  readonly lastPingTime: number;
}

export interface LeadershipReport {
  readonly role: "leader" | "follower" | "none";
  /** `address:port`; undefined where nobody leads, and of the only tracker before its first storage. */
  readonly leader: string | undefined;
  /** Unix seconds. */
  readonly since: number;
  readonly forSeconds: number;
  /** Why nobody leads, in words. */
  readonly why: string | undefined;
  /** All other trackers that the storages name, as the leader sees them; empty at a follower. */
  readonly followers: readonly FollowerReport[];
  /** False at a leader whom less than half of the trackers follow: it gives out no numbers of trunk files. */
  readonly hasMajority: boolean;
}

export function leadershipReport(leadership: Leadership, nowMs: number): LeadershipReport {
  const { phase, isLeader, since, forSeconds, hasMajority } = leadership;
  const follows = phase.name === "following";
  const { self } = leadership;
  const own = self === undefined ? undefined : leadership.keyOf(self);
  return {
    role: isLeader ? "leader" : follows ? "follower" : "none",
    leader: isLeader ? own : follows ? phase.leader : undefined,
    since,
    forSeconds,
    why: isLeader || follows ? undefined : whyNobody(phase),
    followers: isLeader ? leadership.others.map((entry) => follower(leadership, entry, nowMs)) : [],
    hasMajority,
  };
}

function follower(leadership: Leadership, entry: ServerEndpoint, nowMs: number): FollowerReport {
  const found = [...leadership.followers.values()].find(
    ({ endpoint }) => endpoint.port === entry.port && entry.addresses.includes(endpoint.address),
  );
  const oldest = nowMs - followerSilenceSeconds * 1000;
  const [address = ""] = entry.addresses;
  return {
    tracker: formatEndpoint({ address, port: entry.port }),
    isActive: found !== undefined && found.pingedAtMs >= oldest,
    lastPingTime: found?.lastPingTime ?? 0,
  };
}

function whyNobody(phase: ElectionPhase): string {
  switch (phase.name) {
    case "alone":
      return "no storage has joined yet";
    case "searching":
    case "asking":
      return phase.why;
    case "announcing":
      return "this tracker is telling the others that it leads";
    case "waiting":
      return `${phase.best} is best placed, and is to announce itself`;
    default:
      return "an election is under way";
  }
}
