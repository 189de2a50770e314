/** What operators change in a cluster, as trackers are told. */
import { expect, test } from "vitest";
import { chooseTrunkServer, removeStorage } from "#client/cluster-changes.ts";
import { StorageId } from "#model/storage-id.ts";
import { outcomeOf, partsOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const member = { group: "group1", id: StorageId("100002") };
const busy = 16;
const alreadyDone = 114;
const notFound = 2;
const notSupported = 95;
const exists = 17;
const notOnNetwork = 64;
const accessDenied = 13;
const ioError = 5;

test("every tracker is told that a storage is gone, and what each did is told back", async () => {
  await using cluster = await FakeCluster.start();
  const parts = partsOf(cluster);
  expect(await removeStorage(parts, member, undefined)).toMatchObject([
    { outcome: "removed", problem: undefined },
  ]);
  expect(cluster.tracker.asked).toEqual(["deleteStorage group1 100002"]);
  const outcomes: string[] = [];
  for (const status of [alreadyDone, notFound, busy, ioError]) {
    cluster.tracker.faults.refuse = status;
    const [removal] = await removeStorage(parts, member, undefined);
    outcomes.push(`${removal?.outcome}: ${removal?.problem ?? ""}`);
  }
  expect(outcomes).toEqual([
    "gone: ",
    "unknown: knows no storage 100002 in group1",
    "in-service: has it in service: stop it first",
    expect.stringMatching(/^failed: .+/),
  ]);
  await cluster.tracker.stop();
  expect(await removeStorage(parts, member, undefined)).toMatchObject([{ outcome: "failed" }]);
  parts.pool.close();
});

test("a trunk server is asked for, or chosen; refusals say what to do", async () => {
  await using cluster = await FakeCluster.start();
  const parts = partsOf(cluster);
  const nobody = { group: "group1", id: undefined };
  expect(await chooseTrunkServer(parts, nobody, undefined)).toBe("100001");
  expect(await chooseTrunkServer(parts, member, undefined)).toBe("100002");
  const outcomes: unknown[] = [];
  const statuses = [alreadyDone, notFound, exists, notOnNetwork, accessDenied, notSupported];
  for (const status of [...statuses, ioError]) {
    cluster.tracker.faults.refuse = status;
    outcomes.push(await outcomeOf(chooseTrunkServer(parts, member, undefined)));
  }
  expect(outcomes.slice(1)).toEqual([
    "no-storage",
    "refused",
    "refused",
    "not-allowed",
    "refused",
    "server-failed",
  ]);
  cluster.tracker.faults.refuse = alreadyDone;
  expect(await chooseTrunkServer(parts, member, undefined)).toBe("100002");
  parts.pool.close();
});
