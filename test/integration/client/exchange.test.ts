/** One exchange: what happens to its connection, and when it is said twice. */
import { expect, test } from "vitest";
import { attempt, call } from "#client/exchange.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";
import { deleteFile, queryFileInfo } from "#protocol/fastdfs/storage-files.ts";
import { partsOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const missing = { group: "group1", filename: "M00/00/00/none" };
const wrongGroup = { group: "group2", filename: "M00/00/00/none" };

test("a connection is kept after a refusal, and dropped after a refusal as malformed", async () => {
  await using cluster = await FakeCluster.start();
  const { pool } = partsOf(cluster);
  for (const [request, kept] of [
    [missing, 1],
    [wrongGroup, 0],
  ] as const) {
    const outcome = await attempt(pool, cluster.storage, {
      use: (client) => client.call(deleteFile, request),
    });
    expect([outcome.ok, pool.idleCount]).toEqual([false, kept]);
  }
  pool.close();
});

test("what may be repeated is, once, over a fresh connection", async () => {
  await using cluster = await FakeCluster.start();
  const { pool } = partsOf(cluster);
  const { storage } = cluster;
  const request = { headerStatus: 0, ...missing };
  const ask = (repeatable: boolean) =>
    call(pool, storage, { message: queryFileInfo, request, repeatable });
  await expect(ask(true)).rejects.toMatchObject({ status: 2 });
  storage.faults.breakReused = true;
  await expect(ask(true)).rejects.toMatchObject({ status: 2 });
  await expect(ask(false)).rejects.toMatchObject({ code: "flow-broken" });
  storage.faults.breakReused = false;
  expect(storage.asked.length).toBe(4);
  pool.close();
});

test("a step that is known to take longer is waited for", async () => {
  await using cluster = await FakeCluster.start();
  const { pool } = partsOf(cluster, { networkTimeoutMs: 50 });
  cluster.tracker.faults.silent = true;
  const begun = performance.now();
  const outcome = await attempt(pool, cluster.storage, {
    timeoutMs: 250,
    use: async (client) => {
      expect(client.timeoutMs).toBe(250);
      await client.call(activeTest, undefined);
    },
  });
  expect(outcome.ok).toBe(true);
  cluster.storage.faults.silent = true;
  await expect(
    call(pool, cluster.storage, {
      message: deleteFile,
      request: missing,
      repeatable: false,
      fresh: true,
      timeoutMs: 250,
    }),
  ).rejects.toMatchObject({ code: "peer-silent" });
  expect(performance.now() - begun).toBeGreaterThan(240);
  pool.close();
});
