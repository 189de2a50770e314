/** Which storages a read asks, in which order, and what the answer is when they disagree. */
import { expect, test } from "vitest";
import { readAnywhere, readTargets, updateTarget } from "#client/read-targets.ts";
import { formatEndpoint } from "#model/endpoint.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import { outcomeOf, partsOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const file = {
  group: "group1",
  filename: "M00/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin",
};
const action = "look at a file";

for (const oldFetchAll of [false, true]) {
  const form = oldFetchAll ? "old" : "new";
  test(`every storage comes once, also with the ${form} form of the list`, async () => {
    // Before 6.16 the list has one port for all: such a cluster can have one storage here.
    const groups = { group1: oldFetchAll ? 1 : 3 };
    await using cluster = await FakeCluster.start({ groups, oldFetchAll });
    const parts = partsOf(cluster);
    const found: string[] = [];
    const options = { signal: undefined, first: "any-replica" } as const;
    for await (const server of readTargets(parts, file, options)) {
      found.push(formatEndpoint(server));
    }
    expect(found.toSorted()).toEqual(cluster.storages.map(formatEndpoint).toSorted());
    expect(cluster.tracker.asked).toEqual(["queryFetch", "queryFetchAll", "queryUpdate"]);
    parts.pool.close();
  });
}

test("the first answer is enough while it works", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 3 } });
  const parts = partsOf(cluster);
  const use = async () => "done";
  const reading = { signal: undefined, first: "source", action, use } as const;
  expect(await readAnywhere(parts, file, reading)).toBe("done");
  expect(cluster.tracker.asked).toEqual(["queryUpdate"]);
  parts.pool.close();
});

test("the number of storages that are asked is limited", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 4 } });
  const parts = partsOf(cluster, { maxReadTargets: 2 });
  let asked = 0;
  const use = async () => {
    asked += 1;
    throw new WireStatusError(5, "no");
  };
  const reading = { signal: undefined, first: "any-replica", action, use } as const;
  expect(await outcomeOf(readAnywhere(parts, file, reading))).toBe("server-failed");
  expect(asked).toBe(2);
  parts.pool.close();
});

test("an answer that the caller takes for final ends the search", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 3 } });
  const parts = partsOf(cluster);
  let asked = 0;
  const reading = {
    signal: undefined,
    first: "any-replica",
    action,
    use: async () => {
      asked += 1;
      throw new WireStatusError(2, "no");
    },
    stops: (status: number) => status === 2,
  } as const;
  expect(await outcomeOf(readAnywhere(parts, file, reading))).toBe("file-missing");
  expect(asked).toBe(1);
  parts.pool.close();
});

test("a group that the tracker does not know, and one that is no group", async () => {
  await using cluster = await FakeCluster.start();
  const parts = partsOf(cluster);
  const other = { ...file, group: "group9" };
  expect(await outcomeOf(updateTarget(parts, other, undefined))).toBe("no-storage");
  await cluster.tracker.stop();
  expect(await outcomeOf(updateTarget(parts, file, undefined))).toBe("trackers-unreachable");
  parts.pool.close();
});
