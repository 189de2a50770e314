/**
 * Reading while storages fail. Goal: whoever reads gets every byte once, in order, as long as one storage has the file; and the
 * truth about what is not there. Method: storages of a fake cluster fail in one way each.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { collect } from "#net/byte-flow.ts";
import { clientOf, outcomeOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const content = randomBytes(3_000_000);

test("a download that breaks goes on at the next storage", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 3 } });
  await using client = clientOf(cluster);
  const id = await client.upload(content);
  const [first, second] = cluster.storages;
  if (first !== undefined) first.faults.cutDownloadsAfter = 1_000_000;
  if (second !== undefined) second.faults.cutDownloadsAfter = 700_000;
  for (const range of [{}, { offset: 12_345 }, { offset: 12_345, length: 2_000_000 }]) {
    const { offset = 0, length = content.length } = range as { offset?: number; length?: number };
    const got = await client.downloadBytes(id, { ...range, verify: true });
    expect(got.equals(content.subarray(offset, offset + length))).toBe(true);
  }
});

test("a download survives the only storage's restart", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.upload(content);
  cluster.storage.faults.cutDownloadsAfter = 2_000_000;
  const download = await client.download(id, { verify: true });
  await cluster.storage.stop();
  const restarted = sleep(150).then(async () => await cluster.storage.start());
  expect((await collect(download)).equals(content)).toBe(true);
  await restarted;
});

test("an appender file is not continued elsewhere, since it may have changed", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(content);
  for (const storage of cluster.storages) storage.faults.cutDownloadsAfter = 1_000_000;
  expect(await outcomeOf(client.downloadBytes(id))).toBe("connection-broken");
});

test("a file that became shorter is not put together from two versions", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  await using client = clientOf(cluster);
  const master = await client.upload(content);
  const id = await client.uploadSlave(master, content, { prefix: "_copy" });
  const name = id.slice("group1/".length);
  for (const storage of cluster.storages) storage.faults.cutDownloadsAfter = 1_000_000;
  const download = await client.download(id);
  for (const storage of cluster.storages) {
    const file = storage.files.get(name);
    if (file !== undefined) file.bytes = content.subarray(0, 2_000_000);
  }
  expect(await outcomeOf(collect(download))).toBe("file-changed");
});

test("a storage without the file, or out of reach, is passed over", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 3 } });
  await using client = clientOf(cluster);
  const id = await client.upload(content);
  const [first, second] = cluster.storages;
  first?.files.clear();
  await second?.stop();
  for (let round = 0; round < 3; round += 1) {
    expect((await client.downloadBytes(id)).length).toBe(content.length);
  }
});

test("missing is the answer only when no storage is out of reach", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  await using client = clientOf(cluster);
  const id = await client.upload(content);
  for (const storage of cluster.storages) storage.files.clear();
  expect(await outcomeOf(client.download(id))).toBe("file-missing");
  await cluster.storages[1]?.stop();
  expect(await outcomeOf(client.download(id))).toBe("storage-unreachable");
});

test("damaged bytes are noticed when the caller wants it", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.upload(content);
  cluster.storage.faults.corrupt = true;
  expect(await outcomeOf(client.downloadBytes(id, { verify: true }))).toBe("crc-mismatch");
  expect((await client.downloadBytes(id)).length).toBe(content.length);
});

for (const oldRanges of [false, true]) {
  const release = oldRanges ? "before 6.15.4" : "since 6.15.4";
  test(`empty files and ranges at the end read the same from storages ${release}`, async () => {
    await using cluster = await FakeCluster.start();
    cluster.storage.faults.oldRanges = oldRanges;
    await using client = clientOf(cluster);
    const empty = await client.upload(Buffer.alloc(0));
    const emptyAppender = await client.uploadAppender(Buffer.alloc(0));
    const id = await client.upload(Buffer.from("0123456789"));
    expect(await client.downloadBytes(empty, { verify: true })).toHaveLength(0);
    expect(await client.downloadBytes(emptyAppender)).toHaveLength(0);
    expect(String(await client.downloadBytes(id, { offset: 8, length: 100 }))).toBe("89");
    expect(String(await client.downloadBytes(id, { offset: 10 }))).toBe("");
    expect(String(await client.downloadBytes(id, { offset: 3, length: 0 }))).toBe("");
    expect(await outcomeOf(client.download(id, { offset: 11 }))).toBe("range-invalid");
    expect(await outcomeOf(client.download(empty, { offset: 1 }))).toBe("range-invalid");
    await client.remove(empty);
    expect(await outcomeOf(client.download(empty))).toBe("file-missing");
  });
}

test("a storage that falls silent ends the download in time", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = await client.upload(content);
  cluster.storage.faults.silent = true;
  const begun = performance.now();
  expect(await outcomeOf(client.download(id))).toBe("connection-broken");
  expect(performance.now() - begun).toBeLessThan(5000);
});

test("a reader that pauses for longer than the network timeout loses nothing", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster, { networkTimeoutMs: 100 });
  const big = randomBytes(16 * 1024 * 1024);
  const id = await client.upload(big);
  const download = await client.download(id, { verify: true });
  let received = 0;
  let pauses = 0;
  await download.drainTo({
    write: (chunk) => {
      received += chunk.length;
      if (pauses >= 2 || received < 1_000_000 * (pauses + 1)) return true;
      pauses += 1;
      void sleep(350).then(() => download.resume());
      return false;
    },
  });
  expect({ received, pauses }).toEqual({ received: big.length, pauses: 2 });
});
