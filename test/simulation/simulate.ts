/**
 * One run of a seed: a cluster starts, clients work while things go wrong, everything is repaired, quiet follows, and what was
 * promised is looked for. The result of a seed and of a commit is always the same, and so is the hash of everything that happened.
 */
import { type Capabilities, capabilities } from "./capabilities.ts";
import { SimulatedCluster } from "./cluster.ts";
import { FaultInjector } from "./faults.ts";
import { judge } from "./judgement.ts";
import { Manifest } from "./manifest.ts";
import { type ClusterPlan, planOf } from "./plan.ts";
import { World } from "./platform/world.ts";
import { type WorkloadClient, workloadClient } from "./workload.ts";

/** The cluster serves before trouble begins. */
const settleMs = 6000;
/** Between the end of the trouble and the judgement. */
const quietMs = 20_000;
/** A run that takes longer in its own time has hung. */
const longestMs = 900_000;

export interface RunResult {
  readonly seed: number;
  readonly hash: string;
  readonly violations: readonly string[];
  readonly notes: readonly string[];
  /** How often which deed of a client succeeded and failed. */
  readonly counts: ReadonlyMap<string, number>;
  readonly simulatedMs: number;
  readonly events: number;
}

export interface RunOptions {
  readonly can?: Capabilities;
  /** Changes what the seed says. */
  readonly plan?: (plan: ClusterPlan) => ClusterPlan;
  /** Called with each note as it is made. */
  readonly onNote?: (line: string) => void;
}

export async function simulate(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const can = options.can ?? capabilities;
  const world = new World(seed);
  world.trace.onNote = options.onNote;
  const manifest = new Manifest(world);
  world.onCrash = (life, error) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    manifest.violation(`${life?.name ?? "the world"} fails: ${text}`);
  };
  const asSeeded = planOf(world.newRandom(), can);
  const plan = options.plan?.(asSeeded) ?? asSeeded;
  world.note(`seed ${seed}: ${JSON.stringify(plan)}`);
  const stopWatching = watchRejections(manifest);
  try {
    await runPlan(world, { plan, manifest, can });
  } finally {
    stopWatching();
  }
  return {
    seed,
    hash: world.trace.hash,
    violations: manifest.violations,
    notes: world.trace.notes(),
    counts: manifest.counts,
    simulatedMs: world.nowMs,
    events: world.trace.events,
  };
}

async function runPlan(
  world: World,
  what: { readonly plan: ClusterPlan; readonly manifest: Manifest; readonly can: Capabilities },
): Promise<void> {
  const { plan, manifest, can } = what;
  const cluster = new SimulatedCluster(world, plan);
  cluster.start();
  await world.pass(settleMs);
  const addresses = Array.from({ length: plan.clients }, (_, at) => `10.0.2.${1 + at}`);
  const missingIsWrong = can.routedReads || !can.replication;
  const clients = addresses.map((address, at) =>
    workloadClient(cluster, manifest, {
      ...{ name: `client${1 + at}`, address, missingIsWrong },
      staleIsWrong: !can.replication,
    }),
  );
  const working = clients.map((client) => client.run());
  const injector = new FaultInjector(cluster, manifest, addresses);
  injector.schedule(plan.faults);
  await world.pass(plan.troubleMs);
  world.note("quiet");
  injector.repairAll();
  await finished(world, clients, working);
  await world.pass(quietMs);
  world.note("judgement");
  await within(world, judge(cluster, manifest, can));
  for (const machine of cluster.machines) machine.kill();
}

async function finished(
  world: World,
  clients: readonly WorkloadClient[],
  working: readonly Promise<void>[],
): Promise<void> {
  for (const client of clients) client.stop();
  await within(world, Promise.all(working));
}

/** Time passes until it is done. */
async function within(world: World, work: Promise<unknown>): Promise<void> {
  let done = false;
  let failure: unknown;
  work.then(
    () => {
      done = true;
    },
    (error: unknown) => {
      done = true;
      failure = error;
    },
  );
  await world.run(() => done || world.nowMs > longestMs);
  if (failure !== undefined) throw failure;
  if (!done) throw new Error("something does not end in this world");
}

/** A promise that nobody looks after is a mistake of the code under test. */
function watchRejections(manifest: Manifest): () => void {
  const onRejection = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    manifest.violation(`nobody looked after a rejection: ${text}`);
  };
  process.on("unhandledRejection", onRejection);
  return () => process.off("unhandledRejection", onRejection);
}
