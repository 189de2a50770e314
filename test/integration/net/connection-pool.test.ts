/** Leases on connections to a fake tracker: reuse, limits, age, tests of old connections, closing. */
import { expect, test } from "vitest";
import { ConnectionPool, type PoolLimits } from "#net/connection-pool.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import { outcomeOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const limits: PoolLimits = {
  connectTimeoutMs: 500,
  networkTimeoutMs: 200,
  maxPerServer: 2,
  maxWaitingPerServer: 1,
  maxIdlePerServer: 2,
  maxIdleMs: 1000,
  testAfterIdleMs: 100,
};

/** Real timers; `skip` makes the monotonic clock jump. */
class JumpingClock implements Clock {
  #skipped = 0;
  readonly #real: Clock;

  constructor(real: Clock) {
    this.#real = real;
  }
  skip(ms: number): void {
    this.#skipped += ms;
  }
  nowMs(): number {
    return this.#real.nowMs();
  }
  monotonicMs(): number {
    return this.#real.monotonicMs() + this.#skipped;
  }
  after(delayMs: number, task: () => void): Timer {
    return this.#real.after(delayMs, task);
  }
  every(periodMs: number, task: () => void): Timer {
    return this.#real.every(periodMs, task);
  }
}

function poolOf(cluster: FakeCluster, changes: Partial<PoolLimits> = {}) {
  const clock = new JumpingClock(cluster.clock);
  const pool = new ConnectionPool({
    network: cluster.network,
    clock,
    limits: { ...limits, ...changes },
  });
  return { pool, clock };
}

test("a connection that was given back serves the next caller, a dropped one does not", async () => {
  await using cluster = await FakeCluster.start();
  const { pool } = poolOf(cluster);
  const first = await pool.lease(cluster.tracker);
  expect(first.reused).toBe(false);
  first.giveBack();
  first.drop();
  const second = await pool.lease(cluster.tracker);
  expect([second.reused, second.client === first.client]).toEqual([true, true]);
  second.drop();
  const third = await pool.lease(cluster.tracker, { fresh: true });
  expect([third.reused, third.client === first.client]).toEqual([false, false]);
  third.giveBack();
  expect(pool.idleCount).toBe(1);
  pool.close();
  expect(pool.idleCount).toBe(0);
});

test("who finds all connections in use waits for one, within limits", async () => {
  await using cluster = await FakeCluster.start();
  const { pool } = poolOf(cluster);
  const first = await pool.lease(cluster.tracker);
  await pool.lease(cluster.tracker);
  const waiting = pool.lease(cluster.tracker);
  expect(await outcomeOf(pool.lease(cluster.tracker))).toBe("peer-busy");
  first.giveBack();
  const third = await waiting;
  expect(third.client).toBe(first.client);
  expect(await outcomeOf(pool.lease(cluster.tracker))).toBe("peer-busy");
  third.drop();
  expect((await pool.lease(cluster.tracker)).reused).toBe(false);
  pool.close();
});

test("a waiting caller can give up, and takes nobody's place", async () => {
  await using cluster = await FakeCluster.start();
  const { pool } = poolOf(cluster, { maxPerServer: 1, maxWaitingPerServer: 2 });
  const held = await pool.lease(cluster.tracker);
  const abort = new AbortController();
  const leaving = pool.lease(cluster.tracker, { signal: abort.signal });
  const staying = pool.lease(cluster.tracker);
  abort.abort(new Error("no longer"));
  await expect(leaving).rejects.toThrow("no longer");
  held.giveBack();
  expect((await staying).client).toBe(held.client);
  pool.close();
});

test("an idle connection is tested after a pause and closed after a long one", async () => {
  await using cluster = await FakeCluster.start();
  const { pool, clock } = poolOf(cluster);
  const first = await pool.lease(cluster.tracker);
  first.giveBack();
  clock.skip(limits.testAfterIdleMs + 1);
  const tested = await pool.lease(cluster.tracker);
  expect(tested.client).toBe(first.client);
  tested.giveBack();
  clock.skip(limits.maxIdleMs + 1);
  expect((await pool.lease(cluster.tracker)).reused).toBe(false);
  pool.close();
});

test("a connection whose server restarted is not handed out", async () => {
  await using cluster = await FakeCluster.start();
  const { pool } = poolOf(cluster);
  const first = await pool.lease(cluster.tracker);
  first.giveBack();
  await cluster.tracker.stop();
  await cluster.tracker.start();
  await expect.poll(() => first.client.usable).toBe(false);
  expect((await pool.lease(cluster.tracker)).reused).toBe(false);
  pool.close();
});

test("forgetting a server closes what idles there and nothing else", async () => {
  await using cluster = await FakeCluster.start({ trackers: 2 });
  const { pool } = poolOf(cluster);
  const [one, other] = cluster.trackers;
  if (one === undefined || other === undefined) throw new Error("two trackers were asked for");
  for (const tracker of [one, other]) (await pool.lease(tracker)).giveBack();
  pool.forget(one);
  expect((await pool.lease(one)).reused).toBe(false);
  expect((await pool.lease(other)).reused).toBe(true);
  pool.close();
});

test("after closing nothing is leased, and what comes back is closed", async () => {
  await using cluster = await FakeCluster.start();
  const { pool } = poolOf(cluster);
  const lease = await pool.lease(cluster.tracker);
  pool.close();
  expect(await outcomeOf(pool.lease(cluster.tracker))).toBe("client-closed");
  lease.giveBack();
  expect([pool.idleCount, lease.client.usable]).toEqual([0, false]);
});

test("a server that is away does not use up its connections", async () => {
  await using cluster = await FakeCluster.start();
  const { pool } = poolOf(cluster);
  const { tracker } = cluster;
  await tracker.stop();
  for (let round = 0; round < 5; round += 1) {
    expect(await outcomeOf(pool.lease(tracker))).toBe("peer-unreachable");
  }
  await tracker.start();
  expect((await pool.lease(tracker)).reused).toBe(false);
  pool.close();
});
