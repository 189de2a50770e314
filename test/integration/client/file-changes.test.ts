/** Changes while connections break: what is repeated, what is not, and what the caller is told. */
import { expect, test } from "vitest";
import type { FastdfsClient } from "#client/fastdfs-client.ts";
import { knownFile } from "#client/file-names.ts";
import { clientOf, outcomeOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";
import type { FakeStorage } from "../../support/fake-storage.ts";

const abc = Buffer.from("abc");

test("a deletion whose reply is lost is repeated, and done", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.upload(abc);
  cluster.storage.faults.dropReplies = true;
  await client.remove(id);
  expect(cluster.storage.files.size).toBe(0);
  cluster.storage.faults.dropReplies = false;
  expect(await outcomeOf(client.remove(id))).toBe("file-missing");
});

test("a deletion goes to a replica when the source is away", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  await using client = clientOf(cluster);
  const id = await client.upload(abc);
  const [source, replica] = cluster.storages;
  await source?.stop();
  await client.remove(id);
  expect(replica?.files.size).toBe(0);
  expect(await outcomeOf(client.remove(id))).toBe("storage-unreachable");
});

/** A file that `source` made, whoever has it. */
async function uploadAt(client: FastdfsClient, source: FakeStorage): Promise<string> {
  for (;;) {
    const id = await client.upload(abc);
    const made = knownFile(id).decoded.source;
    if (made.kind === "address" && made.address === source.address) return id;
  }
}

test("a storage that is not the source of a file says little where it lacks it, or can do nothing just now", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 }, apart: true });
  await using client = clientOf(cluster);
  // The tracker sends changes to the first one.
  const [named, source] = cluster.storages as [FakeStorage, FakeStorage];
  for (const storage of [named, source]) storage.faults.alone = true;
  const id = await uploadAt(client, source);
  await client.remove(id);
  expect([named, source].map(({ asked }) => asked.at(-1))).toEqual(["deleteFile", "deleteFile"]);
  expect(await outcomeOf(client.remove(id))).toBe("file-missing");
  const other = await uploadAt(client, source);
  named.faults.failDeletes = 11;
  await client.remove(other);
  expect(await outcomeOf(client.remove(other))).toBe("file-missing");
  await source.stop();
  expect(await outcomeOf(client.remove(other))).toBe("storage-unreachable");
});

test("a source that does not have the file has the last word", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 }, apart: true });
  await using client = clientOf(cluster);
  const [source, replica] = cluster.storages as [FakeStorage, FakeStorage];
  const id = await uploadAt(client, source);
  source.files.delete(id.slice("group1/".length));
  expect(await outcomeOf(client.remove(id))).toBe("file-missing");
  expect(replica.asked).not.toContain("deleteFile");
});

test("an append is not repeated once its bytes were sent", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(abc);
  cluster.storage.faults.dropReplies = true;
  expect(await outcomeOf(client.append(id, abc))).toBe("outcome-unknown");
  cluster.storage.faults.dropReplies = false;
  expect(String(await client.downloadBytes(id))).toBe("abcabc");
  cluster.storage.faults.cutBodyAfter = 1000;
  expect(await outcomeOf(client.append(id, Buffer.alloc(64_000_000)))).toBe("connection-broken");
});

test("a large append over a dead connection is repeated", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(abc);
  cluster.storage.faults.breakReused = true;
  await client.append(id, Buffer.alloc(32_000_000));
  expect((await client.fileInfo(id, { withoutCrc32: true })).sizeBytes).toBe(32_000_003);
});

test("empty changes ask nobody", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(abc);
  const before = cluster.storage.asked.length;
  await client.append(id, Buffer.alloc(0));
  await client.modify(id, Buffer.alloc(0), { offset: 2 });
  expect(cluster.storage.asked.length).toBe(before);
});

test("metadata and size are set again after a lost reply", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(abc);
  cluster.storage.faults.breakReused = true;
  await client.setMetadata(id, [["a", "b"]]);
  await client.truncate(id, 2);
  cluster.storage.faults.breakReused = false;
  expect(await client.getMetadata(id)).toEqual([["a", "b"]]);
  expect(String(await client.downloadBytes(id))).toBe("ab");
});

test("a change whose replies are all lost may have been made, and the caller is told so", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(abc);
  cluster.storage.faults.dropReplies = true;
  expect(await outcomeOf(client.truncate(id, 2))).toBe("outcome-unknown");
  expect(await outcomeOf(client.setMetadata(id, [["a", "b"]]))).toBe("outcome-unknown");
  cluster.storage.faults.silent = true;
  expect(await outcomeOf(client.remove(id))).toBe("outcome-unknown");
});

test("a new name that got lost leaves the outcome unknown", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(abc);
  cluster.storage.faults.dropReplies = true;
  expect(await outcomeOf(client.regenerate(id))).toBe("outcome-unknown");
});

test("what a normal file cannot do is refused, and a slave that exists is told", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.upload(abc);
  expect(await outcomeOf(client.append(id, abc))).toBe("refused");
  expect(await outcomeOf(client.truncate(id, 1))).toBe("refused");
  await client.uploadSlave(id, abc, { prefix: "-s" });
  expect(await outcomeOf(client.uploadSlave(id, abc, { prefix: "-s" }))).toBe("file-exists");
});

test("metadata is read from the source, and elsewhere when that is away", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  await using client = clientOf(cluster);
  const id = await client.upload(abc, { metadata: [["a", "b"]] });
  await cluster.storages[0]?.stop();
  expect(await client.getMetadata(id)).toEqual([["a", "b"]]);
  await cluster.storages[1]?.stop();
  expect(await outcomeOf(client.getMetadata(id))).toBe("storage-unreachable");
});
