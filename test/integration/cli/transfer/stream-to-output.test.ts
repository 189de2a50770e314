/** A file to standard output, no faster than its reader. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { streamToOutput } from "#cli/transfer/stream-to-output.ts";
import { clientOf } from "../../../support/client.ts";
import { contextOf } from "../../../support/command-context.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

const content = randomBytes(8_000_000);

test("a slow reader gets everything, and not much waits for it", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const fileId = await client.upload(content);
  let most = 0;
  world.terminal.onOutput = async (written) => {
    most = Math.max(most, cluster.storage.delivered - written);
    if (written % 7 === 0) await sleep(1);
  };
  const context = contextOf(world);
  await streamToOutput(context, { fileId, offset: 0, total: content.length, crc32: undefined });
  context.close();
  expect(world.terminal.output.equals(content)).toBe(true);
  expect(most).toBeGreaterThan(0);
});

test("a part, and nothing", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const fileId = await client.upload(content);
  const context = contextOf(world);
  await streamToOutput(context, { fileId, offset: 5, total: 0, crc32: undefined });
  await streamToOutput(context, { fileId, offset: 5, total: 10, crc32: undefined });
  context.close();
  expect(world.terminal.output).toEqual(content.subarray(5, 15));
});

test("a reader that leaves ends the download", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const fileId = await client.upload(content);
  world.terminal.outputEndsAfter = 1000;
  const context = contextOf(world);
  const job = { fileId, offset: 0, total: content.length, crc32: undefined };
  await expect(streamToOutput(context, job)).rejects.toMatchObject({ code: "EPIPE" });
  context.close();
});
