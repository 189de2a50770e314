/**
 * Uploads while storages fail. Goal: a file goes to the next storage whenever nothing can be stored twice, and never when it
 * could be. Method: storages of a fake cluster fail in one way each; what every storage has and was asked is compared.
 */
import { expect, test } from "vitest";
import { type ByteSource, sourceOfBytes } from "#net/byte-flow.ts";
import { clientOf, outcomeOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const bytes = Buffer.alloc(300_000, "content");

/** Uploads through a client whose first target is the first storage; replication off, so that copies show. */
async function twoStorages(): Promise<FakeCluster> {
  const cluster = await FakeCluster.start({ groups: { group1: 2 } });
  for (const storage of cluster.storages) storage.faults.alone = true;
  return cluster;
}

function copies(cluster: FakeCluster): number[] {
  return cluster.storages.map((storage) => storage.files.size);
}

test("a storage that cannot be reached is passed over", async () => {
  await using cluster = await twoStorages();
  await cluster.storages[0]?.stop();
  await using client = clientOf(cluster);
  const ids = [await client.upload(bytes), await client.upload(bytes), await client.upload(bytes)];
  expect(new Set(ids).size).toBe(3);
  expect(copies(cluster)).toEqual([0, 3]);
});

test.each([
  28, 11, 4, 5, 30,
])("a refusal with status %i sends the file elsewhere", async (status) => {
  await using cluster = await twoStorages();
  const [first] = cluster.storages;
  if (first !== undefined) first.faults.refuseUploads = status;
  await using client = clientOf(cluster);
  await client.upload(bytes);
  expect(copies(cluster)).toEqual([0, 1]);
});

test("a refusal as malformed is final", async () => {
  await using cluster = await twoStorages();
  for (const storage of cluster.storages) storage.faults.refuseUploads = 22;
  await using client = clientOf(cluster);
  expect(await outcomeOf(client.upload(bytes))).toBe("refused");
  expect(cluster.storages.map((storage) => storage.asked)).toEqual([["uploadFile"], []]);
});

test("a connection that breaks in the middle of the body sends the file elsewhere", async () => {
  await using cluster = await twoStorages();
  const [first] = cluster.storages;
  if (first !== undefined) first.faults.cutBodyAfter = 1000;
  await using client = clientOf(cluster);
  await client.upload(Buffer.alloc(8 * 1024 * 1024));
  expect(copies(cluster)).toEqual([0, 1]);
});

test("a reply that does not come leaves the outcome unknown, and the file is not stored again", async () => {
  await using cluster = await twoStorages();
  for (const storage of cluster.storages) storage.faults.dropReplies = true;
  await using client = clientOf(cluster);
  expect(await outcomeOf(client.upload(bytes))).toBe("outcome-unknown");
  expect(copies(cluster)).toEqual([1, 0]);
  expect(await outcomeOf(client.upload(Buffer.alloc(0)))).toBe("outcome-unknown");
});

test("a storage that stays silent after the last byte leaves the outcome unknown", async () => {
  await using cluster = await twoStorages();
  for (const storage of cluster.storages) storage.faults.silent = true;
  await using client = clientOf(cluster);
  expect(await outcomeOf(client.upload(bytes))).toBe("outcome-unknown");
});

test("content that can be read once is not sent again when some of it is gone", async () => {
  await using cluster = await twoStorages();
  for (const storage of cluster.storages) storage.faults.refuseUploads = 28;
  await using client = clientOf(cluster);
  expect(await outcomeOf(client.upload(sourceOfBytes(bytes)))).toBe("no-space");
  expect(cluster.storages.map((storage) => storage.asked.length)).toEqual([1, 0]);
  await cluster.storages[1]?.stop();
  for (const storage of cluster.storages) storage.faults.refuseUploads = undefined;
  expect(await client.upload(sourceOfBytes(bytes))).toContain("group1/");
});

test("a pooled connection that a restart left dead costs nothing", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.upload(bytes);
  await cluster.storage.stop();
  await cluster.storage.start();
  await client.upload(bytes);
  cluster.storage.faults.breakReused = true;
  expect(await client.downloadBytes(id)).toEqual(bytes);
  // Large enough that the break comes before the last byte is handed over.
  await client.upload(Buffer.alloc(32 * 1024 * 1024));
  expect(cluster.storage.files.size).toBe(3);
});

test("when every storage refuses, the last refusal is the answer", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2, group2: 1 } });
  for (const storage of cluster.storages) storage.faults.refuseUploads = 28;
  await using client = clientOf(cluster);
  expect(await outcomeOf(client.upload(bytes, { group: "group1" }))).toBe("no-space");
  const [, , other] = cluster.storages;
  expect(other?.asked).toEqual([]);
  if (other !== undefined) other.faults.refuseUploads = undefined;
  expect(await client.upload(bytes)).toMatch(/^group2\//);
});

test("the tracker's refusals are told apart", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  expect(await outcomeOf(client.upload(bytes, { group: "nogroup" }))).toBe("no-storage");
  cluster.tracker.faults.refuse = 28;
  expect(await outcomeOf(client.upload(bytes))).toBe("no-space");
});

test("content that ends early is not stored", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const short = (): ByteSource => ({ ...sourceOfBytes(Buffer.alloc(10)), length: 20 });
  expect(await outcomeOf(client.upload({ length: 20, open: short }))).toBe("content-short");
  expect(cluster.storage.files.size).toBe(0);
});
