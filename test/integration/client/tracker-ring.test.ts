/** Which tracker is asked, and what happens when it fails. */
import { expect, test } from "vitest";
import { hasCode } from "#base/app-error.ts";
import { queryStore, queryStoreInGroup } from "#protocol/fastdfs/tracker-queries.ts";
import { partsOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

function asks(cluster: FakeCluster): number[] {
  return cluster.trackers.map((tracker) => tracker.asked.length);
}

test("trackers are asked in turn", async () => {
  await using cluster = await FakeCluster.start({ trackers: 3 });
  const { trackers, pool } = partsOf(cluster);
  for (let round = 0; round < 6; round += 1) await trackers.ask(queryStore, undefined);
  expect(asks(cluster)).toEqual([2, 2, 2]);
  pool.close();
});

test("a tracker that is away is passed over, and then asked last for a while", async () => {
  await using cluster = await FakeCluster.start({ trackers: 2 });
  const { trackers, pool } = partsOf(cluster, { trackerRestMs: 60_000 });
  await cluster.trackers[0]?.stop();
  for (let round = 0; round < 4; round += 1) await trackers.ask(queryStore, undefined);
  expect(asks(cluster)).toEqual([0, 4]);
  await cluster.trackers[0]?.start();
  await cluster.trackers[1]?.stop();
  await trackers.ask(queryStore, undefined);
  expect(asks(cluster)).toEqual([1, 4]);
  pool.close();
});

test("a silent tracker costs one timeout, not the question", async () => {
  await using cluster = await FakeCluster.start({ trackers: 2 });
  const { trackers, pool } = partsOf(cluster);
  const [first] = cluster.trackers;
  if (first !== undefined) first.faults.silent = true;
  const begun = performance.now();
  for (let round = 0; round < 4; round += 1) await trackers.ask(queryStore, undefined);
  expect(performance.now() - begun).toBeLessThan(2000);
  pool.close();
});

test("a refusal is final only when every tracker refuses", async () => {
  await using cluster = await FakeCluster.start({ trackers: 2 });
  const { trackers, pool } = partsOf(cluster);
  const [first] = cluster.trackers;
  if (first !== undefined) first.faults.refuse = 2;
  for (let round = 0; round < 2; round += 1) await trackers.ask(queryStore, undefined);
  await expect(trackers.ask(queryStoreInGroup, { group: "other" })).rejects.toMatchObject({
    status: 2,
  });
  pool.close();
});

test("a restarted tracker is asked over a new connection", async () => {
  await using cluster = await FakeCluster.start();
  const { trackers, pool } = partsOf(cluster);
  await trackers.ask(queryStore, undefined);
  await cluster.tracker.stop();
  await cluster.tracker.start();
  await trackers.ask(queryStore, undefined);
  expect(asks(cluster)).toEqual([2]);
  pool.close();
});

test("when none answers the error names each and why", async () => {
  await using cluster = await FakeCluster.start({ trackers: 2 });
  const { trackers } = partsOf(cluster);
  for (const tracker of cluster.trackers) await tracker.stop();
  const thrown = await trackers.ask(queryStore, undefined).catch((reason: unknown) => reason);
  expect(hasCode(thrown, "trackers-unreachable")).toBe(true);
  for (const { port } of cluster.trackers) expect(String(thrown)).toContain(`127.0.0.1:${port}`);
  expect(String(thrown)).toContain("ECONNREFUSED");
});
