/** What a seed makes of a run: the cluster, its clients, and what goes wrong when. Pure: the seed decides. */
import type { Random } from "#platform/random.ts";
import type { Capabilities } from "./capabilities.ts";
import { oneIn, oneOf, skewed } from "./platform/world.ts";

export interface StoragePlan {
  readonly group: string;
  readonly disks: number;
  /** It joins while the cluster serves. */
  readonly later?: boolean;
}

export interface ClusterPlan {
  readonly trackers: number;
  readonly storages: readonly StoragePlan[];
  /** The tracker runs in the process of each storage; there is one of either. */
  readonly allInOne: boolean;
  readonly durability: "flushed" | "relaxed";
  readonly dedup: boolean;
  /** Small files share trunk files, whose numbers the trackers lease. */
  readonly packing: boolean;
  readonly clients: number;
  /** Trouble comes for so long. */
  readonly troubleMs: number;
  readonly faults: readonly Fault[];
}

export type Fault =
  | { readonly kind: FaultKind; readonly atMs: number; readonly forMs: number }
  | {
      readonly kind: "partition" | "one-way" | "slow-link" | "lossy-link" | "reset";
      readonly atMs: number;
      readonly forMs: number;
    };

/** What befalls one machine. */
export type FaultKind =
  | "kill"
  | "kill-in-call"
  | "power-loss"
  | "power-loss-in-call"
  | "restart"
  | "pause"
  | "clock-step"
  | "clock-far"
  | "disk-hang"
  | "disk-slow"
  | "disk-errors"
  | "flush-errors"
  | "disk-full"
  | "disk-wipe"
  /** A storage joins its group. */
  | "join"
  /** One is removed from it, and comes back. */
  | "leave";

const linkFaults = ["partition", "one-way", "slow-link", "lossy-link", "reset"] as const;

const machineFaults: readonly FaultKind[] = [
  ...(["kill", "kill", "kill-in-call", "restart", "pause", "clock-step", "clock-far"] as const),
  ...(["disk-hang", "disk-slow", "disk-errors", "disk-full"] as const),
];

/** Which a disk in relaxed mode may answer with the loss of what was acknowledged. */
const durableFaults: readonly FaultKind[] = [
  ...(["power-loss", "power-loss", "power-loss-in-call", "power-loss-in-call"] as const),
  "flush-errors",
];

export function planOf(random: Random, can: Capabilities): ClusterPlan {
  const groups = 1 + random.below(2);
  const allInOne = groups === 1 && oneIn(random, 3);
  const perGroup = can.replication && !allInOne ? 2 + random.below(2) : 1;
  const disks = 1 + random.below(2);
  const storages: StoragePlan[] = Array.from({ length: groups * perGroup }, (_each, index) => ({
    group: `group${1 + (index % groups)}`,
    disks,
  }));
  const durability = oneIn(random, 4) ? "relaxed" : "flushed";
  const dedup = oneIn(random, 5);
  const packs = !dedup && oneIn(random, 3);
  const packing = packs && (perGroup === 1 || can.packedCopies);
  const troubleMs = 20_000 + random.below(40_000);
  const kinds = [
    ...machineFaults,
    ...linkFaults,
    ...(durability === "flushed" ? durableFaults : []),
    ...(can.growth && !allInOne ? (["leave"] as const) : []),
    ...(can.recovery ? (["disk-wipe"] as const) : []),
  ];
  const count = random.below(10);
  const faults: Fault[] = Array.from({ length: count }, () => ({
    kind: oneOf(random, kinds),
    atMs: random.below(troubleMs),
    forMs: Math.floor(skewed(random, 100, 20_000)),
  }));
  if (can.growth && !allInOne && oneIn(random, 3)) {
    storages.push({ group: "group1", disks, later: true });
    faults.push({ kind: "join", atMs: random.below(troubleMs), forMs: 0 });
  }
  return {
    trackers: allInOne ? 0 : 1 + random.below(3),
    storages,
    allInOne,
    durability,
    dedup,
    packing,
    clients: 1 + random.below(4),
    troubleMs,
    faults: bearable(faults, can).sort((one, other) => one.atMs - other.atMs),
  };
}

/** No disk is lost where members come or go, see `Capabilities.lossesAmongChanges`. */
function bearable(faults: readonly Fault[], can: Capabilities): Fault[] {
  const changes = faults.some(({ kind }) => kind === "join" || kind === "leave");
  const isLeftOut = ({ kind }: Fault): boolean => changes && kind === "disk-wipe";
  return faults.filter((fault) => can.lossesAmongChanges || !isLeftOut(fault));
}
