/** What is known of a file, by its name and by asking. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { informationByName } from "#client/file-information.ts";
import { knownFile } from "#client/file-names.ts";
import { clientOf, outcomeOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const bytes = Buffer.from("some content");

test("names tell kind, size, time, CRC-32 and source", () => {
  const normal = knownFile("group1/M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin");
  expect(informationByName(normal)).toEqual({
    fileId: normal.fileId,
    kind: "normal",
    sizeBytes: 2097152,
    timestamp: 1795395770,
    crc32: 0x17398970,
    sourceAddress: "10.9.0.2",
    sourceId: undefined,
    fromServer: false,
  });
  const byId = knownFile("group1/M00/00/00/ooYBAGsDk6aAHitOAAAACDm-hlI252.txt");
  expect(informationByName(byId)).toMatchObject({ sourceAddress: undefined, sourceId: "100002" });
});

test("a normal file is decoded without asking, unless the caller wants to be sure", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.upload(bytes);
  expect(await client.fileInfo(id)).toMatchObject({ fromServer: false, crc32: crc32(bytes) });
  cluster.storage.files.clear();
  expect(await client.fileInfo(id)).toMatchObject({ fromServer: false });
  expect(await outcomeOf(client.fileInfo(id, { ask: "always" }))).toBe("file-missing");
});

test("an appender's size and CRC-32 come from a storage, the latter only when wanted", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(bytes);
  await client.append(id, bytes);
  const both = Buffer.concat([bytes, bytes]);
  expect(await client.fileInfo(id)).toMatchObject({
    kind: "appender",
    sizeBytes: both.length,
    crc32: crc32(both),
    sourceAddress: "127.0.0.1",
    fromServer: true,
  });
  const spared = await client.fileInfo(id, { withoutCrc32: true });
  expect([spared.sizeBytes, spared.crc32]).toEqual([both.length, undefined]);
  const told = await client.fileInfo(id, { ask: "never" });
  expect([told.sizeBytes, told.crc32, told.fromServer]).toEqual([undefined, undefined, false]);
});

test("a storage that is away or knows nothing is passed over", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 3 } });
  await using client = clientOf(cluster);
  const id = await client.upload(bytes);
  await cluster.storages[0]?.stop();
  cluster.storages[1]?.files.clear();
  expect(await client.fileInfo(id, { ask: "always" })).toMatchObject({ sizeBytes: bytes.length });
});
