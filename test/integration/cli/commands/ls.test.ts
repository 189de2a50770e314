/** What the trackers know. */
import { expect, test } from "vitest";
import { clientOf } from "../../../support/client.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("groups and storages stand in tables", async () => {
  await using cluster = await FakeCluster.start({ groups: { alpha: 1, beta: 2 } });
  const world = new TestWorld(cluster);
  const groups = await world.run("ls", "groups");
  expect(groups.text).toBe(
    [
      "GROUP  STORAGES  READABLE  WRITABLE    TOTAL     FREE  RESERVED",
      "alpha         1         1         1  2.0 GiB  1.0 GiB   256 MiB",
      "beta          2         2         2  2.0 GiB  1.0 GiB   256 MiB",
      "",
    ].join("\n"),
  );
  const storages = await world.run("ls", "storages", "beta");
  const rows = storages.text.trim().split("\n");
  expect(rows).toHaveLength(3);
  expect(rows[1]).toMatch(/^beta +100001 +127\.0\.0\.1:\d+ +ACTIVE +both +6\.16\.1 .* never$/);
  const all = await world.run("ls");
  expect(all.text).toContain("WRITABLE");
  expect(all.text.match(/ACTIVE/g)).toHaveLength(3);
});

test("programs get bytes and seconds", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  expect(await world.json("ls", "groups")).toEqual({
    groups: [
      {
        group: "group1",
        storages: 1,
        readable: 1,
        writable: 1,
        totalBytes: 2 ** 31,
        freeBytes: 2 ** 30,
        reservedBytes: 2 ** 28,
        trunkFreeBytes: 0,
        storePaths: 1,
        subdirectories: 256,
      },
    ],
  });
  const { port } = cluster.storage;
  expect(await world.json("ls", "storages")).toMatchObject({
    storages: [{ group: "group1", address: "127.0.0.1", port, status: "ACTIVE", mode: "both" }],
  });
  expect(await world.json("ls")).toMatchObject({ groups: [{}], storages: [{}] });
  expect((await world.run("ls", "storages", "nogroup")).code).toBe(69);
});

test("each tracker is looked at, and one that is away has its exit code", async () => {
  await using cluster = await FakeCluster.start({ trackers: 2 });
  const world = new TestWorld(cluster);
  expect((await world.run("ls", "trackers")).code).toBe(0);
  await cluster.trackers[1]?.stop();
  const { code, text } = await world.run("ls", "trackers");
  expect(code).toBe(69);
  expect(text).toMatch(/yes +\d+\.\d ms +127\.0\.0\.1:\d+\n/);
  expect(text).toMatch(/no .*ECONNREFUSED/);
  const shown = await world.run("ls", "trackers", "--json");
  expect(JSON.parse(shown.text)).toMatchObject({
    trackers: [
      { reachable: true, problem: null },
      { reachable: false, roundTripMs: null },
    ],
  });
});

test("the storages of a file", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const id = await client.upload(Buffer.from("x"));
  const expected = cluster.storages.map(({ address, port }) => `${address}:${port}`);
  expect((await world.run("locate", id)).text).toBe(`${expected.join("\n")}\n`);
  expect(await world.json("locate", id)).toEqual({ fileId: id, storages: expected });
});
