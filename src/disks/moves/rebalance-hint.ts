/** Whether a rebalance of the node's disks is worth a thought, in words, by what each carries alone: nothing is asked or counted. Pure. */
export interface LadenDisk {
  /** For people. */
  readonly name: string;
  readonly paths: number;
  /** New store paths may come. */
  readonly isFit: boolean;
}

/** Undefined where there is nothing to gain. */
export function rebalanceHint(
  disks: readonly LadenDisk[],
  pathsPerDisk: number,
): string | undefined {
  const byLoad = [...disks].sort((one, other) => one.paths - other.paths);
  const most = byLoad.at(-1);
  const least = byLoad.find(({ isFit }) => isFit);
  if (most === undefined || least === undefined) return undefined;
  if (most.paths <= Math.max(1, pathsPerDisk) || least.paths + 1 >= most.paths) return undefined;
  const less = least.paths === 0 ? "none" : `${least.paths}`;
  return `${most.name} carries ${most.paths} store paths and ${least.name} ${less}: "cairn disks rebalance" shows what would go where, and asks`;
}
