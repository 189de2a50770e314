/** What of replication is simulated and judged. `--can` switches on what is off here. */
export interface Capabilities {
  /** Groups have several storages, whose files become the same. */
  readonly replication: boolean;
  /** A client is never sent to a storage that lacks a file which its group has, or that storage fetches it. */
  readonly routedReads: boolean;
  /** Several trackers agree on one leader, also after partitions. */
  readonly election: boolean;
  /** A disk that was wiped fills itself from the others. */
  readonly recovery: boolean;
  /** Storages are added to groups that serve. */
  readonly growth: boolean;
  /** Small files are packed in groups of several storages as well. */
  readonly packedCopies: boolean;
  /** Disks are lost while members join and leave: whoever fills a member, or is the last that has a file, may be who loses its disk. */
  readonly lossesAmongChanges: boolean;
}

export const capabilities: Capabilities = {
  replication: true,
  routedReads: true,
  election: true,
  recovery: true,
  growth: true,
  packedCopies: true,
  lossesAmongChanges: true,
};

/** Those named, beside the ones that are on: `replication,routedReads`. Throws for a name that is none. */
export function withCapabilities(names: string): Capabilities {
  const can: Record<string, boolean> = { ...capabilities };
  for (const name of names.split(",").filter((each) => each !== "")) {
    if (can[name] === undefined) throw new Error(`${name} is no capability of a simulation`);
    can[name] = true;
  }
  return can as unknown as Capabilities;
}
