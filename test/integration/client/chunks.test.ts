/** Downloads to loop over. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { chunksOf } from "#client/chunks.ts";
import { clientOf, outcomeOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const content = randomBytes(6_000_000);

test("every byte comes once, to a slow loop too, and the connection is kept", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.upload(content);
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(await client.download(id))) {
    chunks.push(chunk);
    if (chunks.length % 20 === 0) await sleep(1);
  }
  expect(Buffer.concat(chunks).equals(content)).toBe(true);
  const empty = await client.upload(Buffer.alloc(0));
  for await (const _ of chunksOf(await client.download(empty))) throw new Error("a chunk");
  expect(cluster.storage.connections).toBe(1);
});

test("leaving the loop gives up the rest", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.upload(Buffer.concat([content, content, content]));
  let received = 0;
  for await (const chunk of chunksOf(await client.download(id))) {
    received += chunk.length;
    if (received > 1000) break;
  }
  expect(received).toBeLessThan(content.length);
  expect(await client.downloadBytes(id, { length: 10 })).toEqual(content.subarray(0, 10));
});

test("a failure is thrown after the bytes before it", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(content);
  cluster.storage.faults.cutDownloadsAfter = 1_000_000;
  let received = 0;
  const looping = (async () => {
    for await (const chunk of chunksOf(await client.download(id))) received += chunk.length;
  })();
  expect(await outcomeOf(looping)).toBe("connection-broken");
  expect(received).toBe(1_000_000);
});
