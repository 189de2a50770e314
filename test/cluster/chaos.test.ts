/**
 * Two groups of three storages and three trackers, each on a host of its own. While clients store, read, append and delete, one host
 * after the other is killed, stopped, paused, cut off, slowed down, or sent to another year, loses its disk, leaves
 * and joins again, or gets another address. Afterwards nothing that was acknowledged is
 * missing, all storages of a group have the same bytes, and what was deleted stays deleted.
 */
import { expect } from "vitest";
import { cause } from "../support/cluster/chaos.ts";
import { type ClusterNode, pause } from "../support/cluster/cluster-node.ts";
import { ClusterStage, type NodePlan } from "../support/cluster/cluster-stage.ts";
import { clusterNeeds } from "../support/cluster/network.ts";
import { needs } from "../support/needs.ts";
import { runSeed } from "../support/run-seed.ts";
import { seededRandom } from "../support/seeded-random.ts";

const clusterTest = needs(...clusterNeeds);
const rounds = Number(process.env.CAIRN_CHAOS_ROUNDS ?? "8");
const seed = runSeed;
const limitMs = 120_000 + rounds * 40_000;
/** What is late reaches everybody within this, on two cores with seven processes. */
const quietMs = 60_000;

const plans: readonly NodePlan[] = [1, 2, 3, 4, 5, 6].map((number) => ({
  host: `n${number}`,
  roles: number % 2 === 1 ? ["tracker", "storage"] : ["storage"],
  group: number <= 3 ? "group1" : "group2",
}));

clusterTest(
  `two groups survive ${rounds} troubles one after the other (seed ${seed})`,
  async () => {
    const stage = await ClusterStage.start(plans);
    try {
      await pause(3000);
      stage.startLoad({ seed, connections: 4, pauseMs: 25 });
      const history: string[] = [];
      const { network, nodes } = stage;
      const note = (text: string): unknown => history.push(text);
      const filled = (node: ClusterNode): Promise<void> => stage.filled(node, quietMs);
      await cause({ network, nodes, random: seededRandom(seed), note, filled }, rounds);
      await pause(2000);
      await stage.stopLoad();
      const verdict = await stage.converge(quietMs);
      const told = `${history.join("; ")}; ${JSON.stringify(verdict)}`;
      expect(verdict.problems, told).toEqual([]);
      expect(verdict.stored, told).toBeGreaterThan(50);
      expect(verdict.deleted, told).toBeGreaterThan(5);
      // A file that was acknowledged is found, wherever its readers were sent.
      expect(stage.manifest.notFound, told).toEqual([]);
    } finally {
      await stage.end();
    }
  },
  limitMs,
);
