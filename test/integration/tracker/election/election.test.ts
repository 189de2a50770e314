/**
 * Goal: several trackers agree on one leader, whatever happens to them and to the lines between them, and the storages serve
 * meanwhile. Method: tracker roles on loopback addresses of their own, storages that talk to all of them, and lines that can be cut; what counts
 * is whom every tracker and every storage takes for the leader. They wait more than they work, so that they run side by side.
 */
import { expect, test } from "vitest";
import { queryStore } from "#protocol/fastdfs/tracker-queries.ts";
import { TrackerCluster } from "../../../support/tracker-cluster.ts";

const seconds = (count: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, count * 1000));

async function answersQueries(cluster: TrackerCluster, tracker: string): Promise<boolean> {
  const client = await cluster.client(tracker);
  try {
    return (await client.call(queryStore, undefined)).group === "group1";
  } finally {
    client.destroy();
  }
}

test.concurrent("three trackers agree on one leader, and name it to whoever asks", async () => {
  await using cluster = await TrackerCluster.start(1, 3);
  const leader = await cluster.agreement();
  const named = await Promise.all(cluster.addresses.map((each) => cluster.namedBy(each)));
  expect(named).toEqual([leader, leader, leader]);
  // The greatest address, unless it was up after the others had agreed: `placement.test.ts`.
  expect(cluster.addresses).toContain(leader);
  await seconds(1.5);
  const { followers, hasMajority } = cluster.tracker(leader).running.snapshot().leadership;
  expect([followers.map(({ isActive }) => isActive), hasMajority]).toEqual([[true, true], true]);
}, 30_000);

test.concurrent("when the leader is killed the others answer on, and elect another one; it follows when it is back", async () => {
  await using cluster = await TrackerCluster.start(2, 3);
  const first = await cluster.agreement();
  const from = performance.now();
  await cluster.tracker(first).kill();
  const rest = cluster.addresses.filter((each) => each !== first);
  expect(await Promise.all(rest.map((each) => answersQueries(cluster, each)))).toEqual([
    true,
    true,
  ]);
  const second = await cluster.agreement();
  expect(performance.now() - from).toBeLessThan(10_000);
  expect(rest).toContain(second);
  await cluster.tracker(first).start();
  await seconds(2);
  expect(await cluster.agreement()).toBe(second);
}, 45_000);

test.concurrent("a leader that stands still is replaced, and gives way when it goes on", async () => {
  await using cluster = await TrackerCluster.start(3, 3);
  const first = await cluster.agreement();
  cluster.tracker(first).pause();
  const second = await cluster.agreement(25_000);
  expect(second).not.toBe(first);
  expect(await answersQueries(cluster, second)).toBe(true);
  cluster.tracker(first).resume();
  await cluster.agreement();
}, 60_000);

test.concurrent("a tracker that is cut off from the others leads nobody's majority, and the split heals", async () => {
  await using cluster = await TrackerCluster.start(4, 3);
  const first = await cluster.agreement();
  const [lonely = ""] = cluster.addresses.filter((each) => each !== first);
  for (const other of cluster.addresses) {
    if (other !== lonely) cluster.cables.cut(lonely, other);
  }
  await seconds(12);
  // The storages see both sides: who leads the majority stays, whatever the other one thinks.
  expect(cluster.leaders()).toContain(first);
  const { since } = cluster.tracker(first).running.snapshot().leadership;
  for (const other of cluster.addresses) cluster.cables.mend(lonely, other);
  expect(await cluster.agreement()).toBe(first);
  expect(cluster.tracker(first).running.snapshot().leadership.since).toBe(since);
}, 60_000);

test.concurrent("of two trackers that were cut off from each other and from one storage each, one leads when the line is mended", async () => {
  await using cluster = await TrackerCluster.start(8, 2);
  const first = await cluster.agreement();
  const [second = ""] = cluster.addresses.filter((each) => each !== first);
  const [near, far] = cluster.storages.map(({ address }) => address) as [string, string];
  cluster.cables.cut(first, second);
  cluster.cables.cut(first, far);
  cluster.cables.cut(second, near);
  const from = performance.now();
  while (cluster.leaders().length < 2 && performance.now() - from < 20_000) await seconds(0.2);
  expect(cluster.leaders()).toEqual(cluster.addresses);
  // Nobody sees both, so that nobody complains; uploads go on at both.
  expect(await answersQueries(cluster, first)).toBe(true);
  expect(await answersQueries(cluster, second)).toBe(true);
  cluster.cables.mend(first, far);
  cluster.cables.mend(second, near);
  cluster.cables.mend(first, second);
  await cluster.agreement(15_000);
}, 60_000);

test.concurrent("a line cut between one follower and the leader makes no second leader", async () => {
  await using cluster = await TrackerCluster.start(5, 3);
  const first = await cluster.agreement();
  const [lonely = ""] = cluster.addresses.filter((each) => each !== first);
  cluster.cables.cut(lonely, first);
  for (let each = 0; each < 12; each += 1) {
    await seconds(1);
    expect(cluster.leaders()).toEqual([first]);
  }
  expect(await answersQueries(cluster, lonely)).toBe(true);
  const { role, why } = cluster.tracker(lonely).running.snapshot().leadership;
  expect([role, why === undefined]).toEqual(["none", false]);
  cluster.cables.mend(lonely, first);
  expect(await cluster.agreement()).toBe(first);
}, 60_000);

test.concurrent("trackers come and go while storages join one by one", async () => {
  await using cluster = await TrackerCluster.start(6, 1, 1);
  const [first = ""] = cluster.addresses;
  expect(await cluster.agreement()).toBe(first);
  await cluster.addTracker();
  await cluster.addTracker();
  // The old storage does not know the new trackers yet; a new one does.
  cluster.addStorage();
  await seconds(1.5);
  cluster.storages[0]?.restart(cluster.addresses);
  cluster.addStorage();
  await cluster.agreement();
  const groups = cluster.trackers.map(({ running }) => running.snapshot().groups[0]?.storageCount);
  expect(groups).toEqual([3, 3, 3]);
  // And one leaves, first by the storages' lists.
  const gone = cluster.tracker(cluster.addresses[1] ?? "");
  const left = cluster.addresses.filter((each) => each !== gone.address);
  for (const storage of cluster.storages) storage.restart(left);
  await gone.kill();
  cluster.trackers.splice(1, 1);
  gone.database.close();
  await cluster.agreement();
  const known = cluster.trackers.map(({ running }) => running.snapshot().trackers.length);
  expect(known).toEqual([2, 2]);
}, 60_000);

test.concurrent("no number of a trunk file is given twice, whoever leads, stands still or is cut off", async () => {
  // Goal: numbers are in file ids for ever. Method: storages that take numbers from every tracker that gives them some, while
  // leaders are killed, paused and cut off; in the end all numbers differ.
  await using cluster = await TrackerCluster.start(7, 3, 3);
  await cluster.agreement();
  for (const storage of cluster.storages) storage.greedy = true;
  await seconds(2);
  const killed = await cluster.agreement();
  await cluster.tracker(killed).kill();
  const second = await cluster.agreement();
  await seconds(2);
  await cluster.tracker(killed).start();
  cluster.tracker(second).pause();
  await seconds(10);
  cluster.tracker(second).resume();
  const third = await cluster.agreement();
  const [near, far] = [cluster.storages[0]?.address ?? "", cluster.storages[1]?.address ?? ""];
  const others = cluster.addresses.filter((each) => each !== third);
  // One storage on each side of a split.
  for (const other of others) {
    cluster.cables.cut(third, other);
    cluster.cables.cut(near, other);
  }
  cluster.cables.cut(far, third);
  await seconds(12);
  for (const other of others) {
    cluster.cables.mend(third, other);
    cluster.cables.mend(near, other);
  }
  cluster.cables.mend(far, third);
  await cluster.agreement();
  await seconds(2);
  const all = cluster.storages.flatMap(({ leased }) => leased);
  expect(all.length).toBeGreaterThan(100);
  expect(new Set(all).size).toBe(all.length);
}, 120_000);
