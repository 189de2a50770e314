/** Changing appender files from the command line. */
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { clientOf } from "../../../support/client.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("bytes are added at the end and put in the middle, from files and from standard input", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(Buffer.from("abc"));
  writeFileSync(world.path("more"), "def");
  expect(await world.run("append", id, "more")).toEqual({
    code: 0,
    text: "",
    errors: "3 B written\n",
  });
  world.terminal.input = [Buffer.from("g"), Buffer.from("hi")];
  expect((await world.run("append", "-q", id, "-")).errors).toBe("");
  world.terminal.input = [Buffer.from("XY")];
  expect((await world.run("modify", "--offset", "1", id, "-")).code).toBe(0);
  expect(String(await client.downloadBytes(id))).toBe("aXYdefghi");
});

test("a lost answer has an exit code of its own, and a normal file cannot be changed", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(Buffer.from("abc"));
  const normal = await client.upload(Buffer.from("abc"));
  writeFileSync(world.path("more"), "def");
  expect((await world.run("append", normal, "more")).code).toBe(1);
  for (const words of [
    [id, "more"],
    ["--offset", "x", id, "more"],
    ["--offset", "1", "x", "more"],
  ]) {
    expect((await world.run("modify", ...words)).code).toBe(2);
  }
  cluster.storage.faults.dropReplies = true;
  const { code, errors } = await world.run("append", id, "more");
  expect(code).toBe(76);
  expect(errors).toContain("before you append again");
});
