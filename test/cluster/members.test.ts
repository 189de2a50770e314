/** Boxes that come, go, lose a disk, or get other addresses, while clients go on. Each is a host of its own, see `chaos.test.ts`. */
import { expect } from "vitest";
import { pause } from "../support/cluster/cluster-node.ts";
import { ClusterStage, type NodePlan } from "../support/cluster/cluster-stage.ts";
import { clusterNeeds } from "../support/cluster/network.ts";
import { needs } from "../support/needs.ts";

const clusterTest = needs(...clusterNeeds);
const limitMs = 240_000;
const quietMs = 60_000;
const load = { seed: 7, connections: 4, pauseMs: 20 };

const pair: readonly NodePlan[] = [
  { host: "n1", roles: ["tracker", "storage"], group: "group1" },
  { host: "n2", roles: ["tracker", "storage"], group: "group1" },
];

async function expectConverged(stage: ClusterStage): Promise<void> {
  const verdict = await stage.converge(quietMs);
  expect(verdict.problems, JSON.stringify(verdict)).toEqual([]);
  expect(verdict.stored).toBeGreaterThan(20);
}

clusterTest(
  "a box that is added fills itself while the group serves",
  async () => {
    const late: NodePlan = { host: "n3", roles: ["storage"], group: "group1", later: true };
    const stage = await ClusterStage.start([...pair, late]);
    try {
      stage.startLoad(load);
      await pause(6000);
      await stage.node("n3").start();
      await pause(6000);
      await stage.stopLoad();
      await expectConverged(stage);
      expect(stage.manifest.notFound).toEqual([]);
      expect(stage.manifest.failures).toEqual([]);
    } finally {
      await stage.end();
    }
  },
  limitMs,
);

clusterTest(
  "a lost disk is rebuilt from the peers, with what was stored meanwhile",
  async () => {
    const plans = pair.map((plan) => ({ ...plan, storePaths: 2 }));
    const stage = await ClusterStage.start(plans);
    try {
      stage.startLoad(load);
      await pause(6000);
      await stage.stopLoad();
      // What only the lost disk knew is lost with it: replication is asynchronous.
      await expectConverged(stage);
      await stage.node("n2").kill();
      stage.node("n2").wipe(1);
      stage.startLoad({ ...load, seed: 8 });
      await pause(3000);
      await stage.node("n2").start();
      await pause(4000);
      await stage.stopLoad();
      await expectConverged(stage);
      expect(stage.manifest.notFound).toEqual([]);
    } finally {
      await stage.end();
    }
  },
  limitMs,
);

clusterTest(
  "a box that vanishes without a word is routed around within five seconds",
  async () => {
    const third: NodePlan = { host: "n3", roles: ["storage"], group: "group1" };
    const stage = await ClusterStage.start([...pair, third]);
    try {
      stage.startLoad(load);
      await pause(4000);
      const vanishedAtMs = Date.now();
      stage.network.isolate("n3");
      await pause(20_000);
      stage.network.heal();
      await stage.stopLoad();
      // Those under way at the time may end by their own time-outs, ten seconds each here. The clients' machine may be slow.
      const routedMs = 5000 + 2000;
      const late = stage.manifest.failures.filter(
        ({ beganMs }) => beganMs > vanishedAtMs + routedMs,
      );
      expect(late).toEqual([]);
      expect(stage.manifest.notFound).toEqual([]);
      await expectConverged(stage);
    } finally {
      await stage.end();
    }
  },
  limitMs,
);

clusterTest(
  "a tracker that is killed costs no upload",
  async () => {
    const stage = await ClusterStage.start(
      pair.concat({ host: "n3", roles: ["tracker"], group: "group1" }),
    );
    try {
      stage.startLoad(load);
      for (let round = 0; round < 3; round += 1) {
        await pause(3000);
        await stage.node("n3").kill();
        await pause(3000);
        await stage.node("n3").start();
      }
      await stage.stopLoad();
      expect(stage.manifest.failures).toEqual([]);
      await expectConverged(stage);
    } finally {
      await stage.end();
    }
  },
  limitMs,
);

clusterTest(
  "all addresses of a cluster change at once",
  async () => {
    const stage = await ClusterStage.start(pair);
    try {
      stage.startLoad(load);
      await pause(5000);
      await stage.stopLoad();
      await Promise.all(stage.nodes.map((node) => node.stop()));
      for (const [index, { name }] of stage.nodes.entries()) {
        stage.network.changeAddress(name, `10.77.0.${101 + index}`);
      }
      await Promise.all(stage.nodes.map((node) => node.start()));
      await pause(3000);
      stage.startLoad({ ...load, seed: 8 });
      await pause(5000);
      await stage.stopLoad();
      expect(stage.manifest.notFound).toEqual([]);
      await expectConverged(stage);
    } finally {
      await stage.end();
    }
  },
  limitMs,
);
