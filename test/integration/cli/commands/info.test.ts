/** What a storage says of files. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { clientOf } from "../../../support/client.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("kind, size, time and CRC-32, for people and for programs", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const id = await client.upload(Buffer.alloc(2048));
  const appender = await client.uploadAppender(Buffer.from("abc"));
  const { code, text } = await world.run("info", id, appender);
  expect(code).toBe(0);
  expect(text).toContain(`file id    ${id}\nkind       normal\nsize       2048 bytes (2.0 KiB)\n`);
  expect(text).toContain("kind       appender");
  expect(await world.json("info", appender)).toEqual({
    files: [
      {
        fileId: appender,
        kind: "appender",
        sizeBytes: 3,
        timestamp: expect.any(Number),
        crc32: crc32("abc").toString(16),
        sourceAddress: "127.0.0.1",
        sourceId: null,
      },
    ],
    failures: [],
  });
  expect(await world.json("info", appender, "--no-crc")).toMatchObject({
    files: [{ crc32: null }],
  });
});

test("a file that is gone is told, also when its name tells everything", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const id = await client.upload(Buffer.from("x"));
  await client.remove(id);
  const { code, errors } = await world.run("info", id);
  expect(code).toBe(66);
  expect(errors).toContain("has no such file");
});
