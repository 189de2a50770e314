/** How changes go to the peers, in the words of the `status` operation, and what of it somebody must look at. */
import { maxShownAside } from "#control/operations/sync-links.ts";
import type { NodeStatus } from "#control/operations/system.ts";
import type { ReplicationSnapshot } from "#storage/replication.ts";

type SyncLinks = NonNullable<NodeStatus["links"]>;
type LinkReport = ReplicationSnapshot["links"][number];

/** Undefined where the node is no storage. */
export function syncStatus(replication: ReplicationSnapshot | undefined): SyncLinks | undefined {
  return replication?.links.map(linkStatus);
}

function linkStatus(link: LinkReport): SyncLinks[number] {
  const { peer, state, dialect, paths, lagSeconds } = link;
  const aside = paths.flatMap(({ storePathIndex: storePath, aside: records }) =>
    records.map(({ line, why, since, tries }) => ({ storePath, record: line, why, since, tries })),
  );
  return {
    peer,
    state,
    software: dialect === undefined ? undefined : dialect === "c" ? "original" : "cairn",
    pendingRecords: sum(paths.map(({ pending }) => pending)),
    backlogBytes: sum(paths.map(({ backlogBytes }) => backlogBytes)),
    lagSeconds,
    problems: paths.flatMap(({ storePathIndex, problem }) =>
      problem === undefined ? [] : [`store path ${storePathIndex}: ${problem}`],
    ),
    setAside: aside.length,
    aside: aside.slice(0, maxShownAside),
  };
}

/** What keeps a peer from having everything. That a peer is away is said elsewhere. */
export function syncProblems(links: SyncLinks | undefined): string[] {
  return (links ?? []).flatMap(({ peer, problems, setAside, aside }) => {
    const stuck = problems.map((problem) => `Storage ${peer} gets nothing of ${problem}.`);
    if (setAside === 0) return stuck;
    const [first] = aside;
    const example =
      first === undefined ? "" : ` The first one: ${first.record}, because ${first.why}.`;
    return [
      ...stuck,
      `${setAside} changes could not be sent to storage ${peer}; they are tried again by themselves.${example}`,
    ];
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
