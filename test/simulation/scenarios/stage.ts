/** A small cluster for a scenario: its story is told in the world's own time, and what it finds is asserted by it. */
import { FastdfsClient } from "#client/fastdfs-client.ts";
import { type Clock, delay } from "#platform/clock.ts";
import { SimulatedCluster } from "../cluster.ts";
import type { ClusterPlan } from "../plan.ts";
import type { SimulatedMachine } from "../platform/simulated-machine.ts";
import { World } from "../platform/world.ts";

export interface Stage {
  readonly world: World;
  readonly cluster: SimulatedCluster;
  readonly client: FastdfsClient;
  readonly clock: Clock;
  pass(ms: number): Promise<void>;
  /** By its place in the plan, from 0. */
  storage(index: number): SimulatedMachine;
}

const settleMs = 8000;
const longestMs = 1_800_000;

const smallPlan: ClusterPlan = {
  trackers: 1,
  storages: [{ group: "group1", disks: 1 }],
  allInOne: false,
  durability: "flushed",
  dedup: false,
  packing: false,
  clients: 0,
  troubleMs: 0,
  faults: [],
};

/** Storages of one group. */
export function groupOf(count: number): ClusterPlan["storages"] {
  return Array.from({ length: count }, () => ({ group: "group1", disks: 1 }));
}

/** Starts the cluster, waits until it serves, and tells the story to its end. Rejects with what the story throws. */
export async function scenario(
  plan: Partial<ClusterPlan>,
  story: (stage: Stage) => Promise<void>,
): Promise<void> {
  const world = new World(1);
  const cluster = new SimulatedCluster(world, { ...smallPlan, ...plan });
  cluster.start();
  await world.pass(settleMs);
  const { clock, network } = cluster.outsider("client", "10.0.2.1");
  const limits = { connectTimeoutMs: 2000, networkTimeoutMs: 8000, trackerRestMs: 500 };
  const client = new FastdfsClient({ trackers: cluster.trackers, network, clock, limits });
  const stage: Stage = {
    ...{ world, cluster, client, clock },
    pass: (ms) => delay(clock, ms),
    storage: (index) => cluster.storageMachines[index] as SimulatedMachine,
  };
  let over = false;
  const told = story(stage).finally(() => {
    over = true;
  });
  // Whoever waits below hears of it.
  told.catch(() => undefined);
  await world.run(() => over || world.nowMs > longestMs);
  for (const machine of cluster.machines) machine.kill();
  if (!over)
    throw new Error(
      `the story did not end; the last that happened:\n${world.trace.notes(20).join("\n")}`,
    );
  await told;
}
