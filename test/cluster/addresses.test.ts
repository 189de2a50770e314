/**
 * Storages that are known by numbers: all addresses change at once, one of two networks is cut, and a cluster has IPv6 addresses only. Each
 * node is a host of its own, see `chaos.test.ts`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { pause } from "../support/cluster/cluster-node.ts";
import { ClusterStage, type NodePlan } from "../support/cluster/cluster-stage.ts";
import { clusterNeeds } from "../support/cluster/network.ts";
import { needs } from "../support/needs.ts";

const clusterTest = needs(...clusterNeeds);
const limitMs = 240_000;
const quietMs = 60_000;
const load = { seed: 7, connections: 4, pauseMs: 20 };

/** Two nodes, each a tracker and a storage, whose table of storage ids is `ids`. */
function pair(ids: string, settings: readonly string[] = []): readonly NodePlan[] {
  const table = [`tracker.storage_ids_file=${ids}`, "tracker.id_type_in_filename=id"];
  return ["n1", "n2"].map((host, at) => ({
    ...({ host, roles: ["tracker", "storage"], group: "group1" } as const),
    settings: [...table, `storage.server_id=${100_001 + at}`, ...settings],
  }));
}

async function withTable(table: string, use: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-ids-"));
  const path = join(folder, "storage_ids.conf");
  writeFileSync(path, table);
  try {
    await use(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function loaded(stage: ClusterStage, seed: number, forMs = 5000): Promise<void> {
  stage.startLoad({ ...load, seed });
  await pause(forMs);
  await stage.stopLoad();
}

async function expectConverged(stage: ClusterStage): Promise<void> {
  const verdict = await stage.converge(quietMs);
  expect(verdict.problems, JSON.stringify(verdict)).toEqual([]);
  expect(verdict.stored).toBeGreaterThan(20);
  expect(stage.manifest.notFound).toEqual([]);
}

clusterTest(
  "all addresses of a cluster with storage ids change at once",
  () =>
    withTable("100001 group1 10.77.0.12\n100002 group1 10.77.0.13\n", async (path) => {
      const stage = await ClusterStage.start(pair(path));
      try {
        await loaded(stage, 7);
        await Promise.all(stage.nodes.map((node) => node.stop()));
        for (const [at, { name }] of stage.nodes.entries()) {
          stage.network.changeAddress(name, `10.77.0.${101 + at}`);
        }
        writeFileSync(path, "100001 group1 10.77.0.101\n100002 group1 10.77.0.102\n");
        await Promise.all(stage.nodes.map((node) => node.start()));
        await pause(3000);
        await loaded(stage, 8);
        await expectConverged(stage);
      } finally {
        await stage.end();
      }
    }),
  limitMs,
);

clusterTest(
  "a group whose storages have two addresses replicates over the second one while the first is cut",
  () =>
    withTable(
      "100001 group1 10.77.0.12,192.168.77.12\n100002 group1 10.77.0.13,192.168.77.13\n",
      async (path) => {
        const trackers = ["12", "13"].map((at) => `10.77.0.${at},192.168.77.${at}:22122`);
        const plans = pair(path, [`storage.trackers=${JSON.stringify(trackers)}`]).map(
          (plan, at) => ({
            ...plan,
            settings: [
              ...(plan.settings ?? []),
              "node.connect_timeout=1s",
              "node.network_timeout=3s",
              `node.bind=["10.77.0.${12 + at}","192.168.77.${12 + at}","127.0.0.1"]`,
            ],
          }),
        );
        const stage = await ClusterStage.start(plans);
        try {
          await loaded(stage, 7, 3000);
          for (const [from, to] of [
            ["n1", "n2"],
            ["n2", "n1"],
          ] as const) {
            stage.network.cut(from, to);
          }
          // Until those who wait for an answer have given up, and tried the second address.
          await pause(12_000);
          await loaded(stage, 8, 6000);
          // Both nodes have everything, though the first network is still cut between them.
          await expectConverged(stage);
          expect(stage.manifest.failures).toEqual([]);
        } finally {
          await stage.end();
        }
      },
    ),
  limitMs,
);

clusterTest(
  "a cluster lives on IPv6 addresses alone",
  () =>
    withTable("100001 group1 fd77::12\n100002 group1 [fd77::13]:23000\n", async (path) => {
      const stage = await ClusterStage.start(pair(path).map((plan) => ({ ...plan, ipv6: true })));
      try {
        await loaded(stage, 7);
        await expectConverged(stage);
        expect(stage.manifest.failures).toEqual([]);
      } finally {
        await stage.end();
      }
    }),
  limitMs,
);
