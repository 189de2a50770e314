/** The client against a cluster in memory: every operation, both address widths, aborts and closing. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { FastdfsClient } from "#client/fastdfs-client.ts";
import { collect } from "#net/byte-flow.ts";
import { clientOf, outcomeOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

for (const addressWidth of [16, 46] as const) {
  test(`every operation works where addresses have ${addressWidth} bytes`, async () => {
    await using cluster = await FakeCluster.start({ addressWidth, groups: { group1: 2 } });
    await using client = clientOf(cluster);

    const id = await client.upload(Buffer.from("hello"), {
      extension: ".txt",
      metadata: [
        ["width", "10"],
        ["author", "me"],
      ],
    });
    expect(id).toMatch(/^group1\/M00\/00\/00\/[\w-]{27}\d{3}\.txt$/);
    expect(String(await client.downloadBytes(id))).toBe("hello");
    expect(await client.getMetadata(id)).toEqual([
      ["author", "me"],
      ["width", "10"],
    ]);
    await client.setMetadata(id, [["width", "20"]], { mode: "merge" });
    expect(await client.getMetadata(id)).toEqual([
      ["author", "me"],
      ["width", "20"],
    ]);
    await client.setMetadata(id, []);
    expect(await client.getMetadata(id)).toBeUndefined();
    expect(await client.locate(id)).toEqual(
      cluster.storages.map(({ address, port }) => ({ address, port })),
    );

    const slave = await client.uploadSlave(id, Buffer.from("small"), {
      prefix: "_s",
      extension: "jpg",
    });
    expect(slave).toBe(id.replace(/\.txt$/, "_s.jpg"));
    expect(await client.fileInfo(slave)).toMatchObject({
      kind: "slave",
      sizeBytes: 5,
      crc32: crc32("small"),
      fromServer: true,
    });

    const log = await client.uploadAppender(Buffer.from("abc"), { extension: "log" });
    await client.append(log, Buffer.from("def"));
    await client.modify(log, Buffer.from("XY"), { offset: 1 });
    await client.truncate(log, 5);
    expect(String(await client.downloadBytes(log))).toBe("aXYde");
    const normal = await client.regenerate(log);
    expect(String(await client.downloadBytes(normal, { offset: 1, length: 2 }))).toBe("XY");
    expect(await outcomeOf(client.downloadBytes(log))).toBe("file-missing");

    await client.remove(id);
    expect(await outcomeOf(client.fileInfo(id, { ask: "always" }))).toBe("file-missing");
    expect((await client.listGroups()).map((group) => group.group)).toEqual(["group1"]);
    expect((await client.listStorages("group1")).map((one) => one.storagePort)).toEqual(
      cluster.storages.map((storage) => storage.port),
    );
    expect(await client.trackerStatus()).toMatchObject([{ reachable: true, problem: undefined }]);
  });
}

test("an upload whose metadata fails leaves no file behind", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  cluster.storage.faults.failMetadata = 28;
  const metadata = [["k", "v"]] as const;
  expect(await outcomeOf(client.upload(Buffer.from("x"), { metadata }))).toBe("no-space");
  expect(cluster.storage.files.size).toBe(0);
});

test("what is wrong with arguments is said before anything is asked", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster);
  const id = "group1/M00/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
  const x = Buffer.from("x");
  const calls: readonly Promise<unknown>[] = [
    client.upload(x, { extension: "too-long" }),
    client.upload(x, { group: "no group" }),
    client.upload(x, { metadata: [["a\x01b", "c"]] }),
    client.uploadSlave(id, x, { prefix: "" }),
    client.modify(id, x, { offset: -1 }),
    client.download(id, { length: 1.5 }),
    client.listStorages("no/group"),
  ];
  for (const call of calls) expect(await outcomeOf(call)).toBe("argument-invalid");
  expect(await outcomeOf(client.remove("group1/../../etc/passwd"))).toBe("file-id-invalid");
  expect(cluster.tracker.asked).toEqual([]);
  const none = { ...cluster, trackers: [] };
  expect(() => new FastdfsClient(none)).toThrow("at least one tracker");
});

test("an aborted call rejects with the signal's reason and harms no other", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster, { networkTimeoutMs: 10_000 });
  const id = await client.upload(Buffer.alloc(100_000));
  cluster.storage.faults.silent = true;
  const abort = new AbortController();
  const waiting = client.downloadBytes(id, { signal: abort.signal });
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(client.remove(id, { signal: abort.signal })).rejects.toThrow("enough");
  cluster.storage.faults.silent = false;
  expect(await client.downloadBytes(id)).toHaveLength(100_000);
});

test("a closed client refuses, and leaves no connection open", async () => {
  await using cluster = await FakeCluster.start();
  const client = clientOf(cluster);
  const id = await client.upload(Buffer.from("x"));
  const download = await client.download(id);
  client.close();
  expect(await outcomeOf(client.upload(Buffer.from("y")))).toBe("client-closed");
  expect(String(await collect(download))).toBe("x");
  await expect.poll(() => cluster.storage.connections).toBe(0);
});

test("a file that is too large for memory is refused, and its connection not kept", async () => {
  await using cluster = await FakeCluster.start();
  await using client = clientOf(cluster, { maxBytesInMemory: 10 });
  const id = await client.upload(Buffer.alloc(11));
  expect(await outcomeOf(client.downloadBytes(id))).toBe("argument-invalid");
  expect(await client.downloadBytes(id, { length: 10 })).toHaveLength(10);
});
