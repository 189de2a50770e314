/** Storing files from the command line. */
import { mkdirSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { clientOf } from "../../../support/client.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("several files give several ids, in their order, and what fails does not stop the others", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  writeFileSync(world.path("a.txt"), "aaa");
  writeFileSync(world.path("b.tar.gz"), "bbbb");
  writeFileSync(world.path("empty"), "");
  mkdirSync(world.path("dir"));
  const { code, text, errors } = await world.run(
    "put",
    "a.txt",
    "none",
    "dir",
    "b.tar.gz",
    "empty",
  );
  const ids = text.trim().split("\n");
  expect(ids.map((id) => id.slice(id.lastIndexOf("/") + 28).replace(/^\d+/, ""))).toEqual([
    ".txt",
    ".gz",
    "",
  ]);
  expect(errors).toContain("none: no such file or directory");
  expect(errors).toContain("dir is a directory");
  // One is missing, one cannot be read as a file: two kinds of failure.
  expect(code).toBe(1);
  await using client = clientOf(cluster);
  const sizes = await Promise.all(ids.map(async (id) => (await client.fileInfo(id)).sizeBytes));
  expect(sizes).toEqual([3, 4, 0]);
});

test("for programs there is one JSON value", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  writeFileSync(world.path("a.txt"), "aaa");
  const { code, text } = await world.run("put", "a.txt", "none", "--json");
  expect(code).toBe(66);
  expect(JSON.parse(text)).toEqual({
    files: [
      {
        source: "a.txt",
        fileId: expect.stringMatching(/^group1\/M00\//),
        sizeBytes: 3,
        crc32: crc32("aaa").toString(16).padStart(8, "0"),
      },
    ],
    failures: [{ item: "none", code: "ENOENT", message: expect.stringContaining("no such file") }],
  });
});

test("standard input is stored, little or much", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const portions = Array.from({ length: 40 }, (_, at) => Buffer.alloc(256 * 1024, at));
  for (const input of [[], [Buffer.from("small")], portions]) {
    world.terminal.input = input;
    const { code, text } = await world.run("put", "-", "--ext", "bin");
    expect(code).toBe(0);
    await using client = clientOf(cluster);
    const stored = await client.downloadBytes(text.trim(), { verify: true });
    expect(stored.equals(Buffer.concat(input))).toBe(true);
    expect(text).toContain(".bin");
  }
});

test("metadata, group and kind are as asked for", async () => {
  await using cluster = await FakeCluster.start({ groups: { one: 1, two: 1 } });
  const world = new TestWorld(cluster);
  writeFileSync(world.path("a.txt"), "aaa");
  await using client = clientOf(cluster);
  const words = ["put", "a.txt", "-m", "k=v", "--meta", "l=w=x", "-g", "two", "--appender"];
  const id = (await world.run(...words)).text.trim();
  expect(id).toMatch(/^two\//);
  expect(await client.getMetadata(id)).toEqual([
    ["k", "v"],
    ["l", "w=x"],
  ]);
  await client.append(id, Buffer.from("b"));
  const slave = await world.run("put", "a.txt", "--master", id, "--prefix", "_s", "-e", "");
  expect(slave.text.trim()).toBe(`${id.replace(/\.txt$/, "")}_s`);
  expect(await world.run("put", "a.txt", "--master", id, "--prefix", "_s", "-e", "")).toMatchObject(
    {
      code: 73,
    },
  );
});

test.each([
  [["--master", "group1/M00/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin"]],
  [["--prefix", "_s"]],
  [["--master", "nonsense", "--prefix", "_s"]],
  [["--meta", "novalue"]],
  [["--ext", "far-too-long"]],
  [["--group", "not a group"]],
])("%j is wrong usage", async (options) => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  writeFileSync(world.path("a.txt"), "aaa");
  expect((await world.run("put", "a.txt", ...options)).code).toBe(2);
  expect(cluster.storage.asked).toEqual([]);
});

test("an id with another CRC-32 is a warning, for a cluster that deduplicates has such", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  writeFileSync(world.path("a.txt"), "aaa");
  cluster.storage.faults.wrongCrc32 = true;
  const { code, text, errors } = await world.run("put", "a.txt");
  expect([code, text.trim().startsWith("group1/")]).toEqual([0, true]);
  expect(errors).toContain("either the cluster deduplicates, or the bytes were damaged");
});

test("on a terminal there is a progress bar, which is wiped", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  world.terminal.errorIsTerminal = true;
  writeFileSync(world.path("big.bin"), Buffer.alloc(20_000_000));
  const { errors } = await world.run("put", "big.bin");
  expect(errors).toContain("big.bin");
  expect(errors).toMatch(/\d+%/);
  expect(errors.endsWith("\r\u001b[K")).toBe(true);
  expect((await world.run("put", "--quiet", "big.bin")).errors).toBe("");
});

test("no tracker is a matter of its own", async () => {
  const world = new TestWorld();
  writeFileSync(world.path("a.txt"), "aaa");
  const { code, errors } = await world.run("put", "a.txt", "-t", "127.0.0.1:1");
  expect(code).toBe(69);
  expect(errors).toContain("no tracker answers (127.0.0.1:1: connect ECONNREFUSED");
});
