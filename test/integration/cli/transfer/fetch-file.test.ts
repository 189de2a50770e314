/** Files and ranges into local files; what the command does with it is in commands/get.test.ts. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { type FetchJob, fetchFile } from "#cli/transfer/fetch-file.ts";
import type { FastdfsClient } from "#client/fastdfs-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { clientOf, outcomeOf } from "../../../support/client.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

const content = randomBytes(6_000_000);

async function fetchedBy(
  client: FastdfsClient,
  world: TestWorld,
  job: Partial<FetchJob> & { readonly fileId: string },
) {
  const { signal } = new AbortController();
  const seen: number[] = [];
  const result = await outcomeOf(
    fetchFile(
      { client, files: world.files, clock: nodeClock, signal },
      {
        fileSize: content.length,
        offset: 0,
        total: content.length,
        path: world.path("f"),
        parallel: 1,
        crc32: crc32(content),
        progress: (bytes) => seen.push(bytes),
        ...job,
      },
    ),
  );
  return { result, progress: seen.reduce((sum, bytes) => sum + bytes, 0) };
}

test("every stretch comes over its own connection, and progress adds up", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld();
  await using client = clientOf(cluster);
  const fileId = await client.upload(content);
  const before = cluster.storage.asked.length;
  const { result, progress } = await fetchedBy(client, world, { fileId, parallel: 5 });
  expect(result).toEqual({ resumedBytes: 0, verified: true });
  expect(progress).toBe(content.length);
  expect(cluster.storage.asked.length - before).toBe(5);
  expect(readFileSync(world.path("f")).equals(content)).toBe(true);
});

test("stretches that break go on at other storages", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  const world = new TestWorld();
  await using client = clientOf(cluster);
  const fileId = await client.upload(content);
  const [first] = cluster.storages;
  if (first !== undefined) first.faults.cutDownloadsAfter = 100_000;
  const { result } = await fetchedBy(client, world, { fileId, parallel: 3 });
  expect(result).toEqual({ resumedBytes: 0, verified: true });
  expect(readFileSync(world.path("f")).equals(content)).toBe(true);
});

test("a stretch that fails ends the others, and what arrived is noted", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld();
  await using client = clientOf(cluster, { maxFruitlessResumes: 0 });
  const fileId = await client.upload(content);
  cluster.storage.faults.cutDownloadsAfter = 500_000;
  const first = await fetchedBy(client, world, { fileId, parallel: 3 });
  expect(first.result).toBe("connection-broken");
  expect(readdirSync(world.directory).toSorted()).toEqual(["f.part", "f.part.json"]);
  cluster.storage.faults.cutDownloadsAfter = undefined;
  const second = await fetchedBy(client, world, { fileId, parallel: 2 });
  expect(second.result).toMatchObject({ verified: true });
  expect(second.progress).toBe(content.length);
  expect(readFileSync(world.path("f")).equals(content)).toBe(true);
});

test("a size other than expected is not put together", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld();
  await using client = clientOf(cluster);
  const fileId = await client.upload(content);
  const job = { fileId, fileSize: content.length + 1, total: content.length + 1 };
  const { result } = await fetchedBy(client, world, job);
  expect(result).toBe("file-changed");
});
