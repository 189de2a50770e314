/** How the trackers stand among themselves, in the words of the `status` operation, as the tracker of this node sees it. */
import type { NodeStatus } from "#control/operations/system.ts";
import type { RunningNode } from "#daemon/compose.ts";

/** An election takes seconds; what lasts longer needs somebody. */
const patienceSeconds = 30;

type LeadershipStatus = NonNullable<NodeStatus["leadership"]>;

/** Undefined where the node is no tracker. */
export function leadershipStatus({ tracker }: Pick<RunningNode, "tracker">): {
  readonly leadership: LeadershipStatus | undefined;
  readonly problems: readonly string[];
} {
  if (tracker === undefined) return { leadership: undefined, problems: [] };
  const { role, leader, since, why, followers, forSeconds } = tracker.snapshot().leadership;
  const leadership: LeadershipStatus = {
    role,
    leader,
    since,
    why,
    followers: followers.map(({ tracker: endpoint, isActive, lastPingTime }) => {
      return { endpoint, active: isActive, lastPing: lastPingTime };
    }),
  };
  if (forSeconds < patienceSeconds) return { leadership, problems: [] };
  const away = followers
    .filter(({ isActive }) => !isActive)
    .map(
      ({ tracker: endpoint }) =>
        `Tracker ${endpoint} does not follow this one, which leads. Check that it runs, and the network between them.`,
    );
  const isWaiting =
    role === "none" && followers.length === 0 && tracker.snapshot().trackers.length > 0;
  const leaderless = isWaiting
    ? [
        `No tracker leads (${why ?? "for an unknown reason"}): clients are served, but changes of the cluster are told to nobody. Check the other trackers and the network between them.`,
      ]
    : [];
  return { leadership, problems: [...leaderless, ...away] };
}
