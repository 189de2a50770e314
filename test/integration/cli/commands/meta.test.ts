/** Metadata from the command line. */
import { expect, test } from "vitest";
import { clientOf } from "../../../support/client.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("set replaces, merge adds, clear removes, get shows", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const id = await client.upload(Buffer.from("x"));
  expect(await world.run("meta", "get", id)).toMatchObject({ code: 66, text: "" });
  expect((await world.run("meta", "set", id, "b=2", "a=1")).code).toBe(0);
  expect((await world.run("meta", "get", id)).text).toBe("a=1\nb=2\n");
  expect((await world.run("meta", "merge", id, "b=3", "c=ü = x")).code).toBe(0);
  expect(await world.json("meta", "get", id)).toEqual({
    fileId: id,
    metadata: { a: "1", b: "3", c: "ü = x" },
  });
  await world.run("meta", "set", id, "only=this");
  expect((await world.run("meta", "get", id)).text).toBe("only=this\n");
  expect((await world.run("meta", "clear", id)).code).toBe(2);
  expect((await world.run("meta", "clear", id, "--yes")).code).toBe(0);
  expect((await world.run("meta", "get", id)).code).toBe(66);
});

test("what is no metadata is wrong usage", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const id = await client.upload(Buffer.from("x"));
  for (const words of [[id], [id, "novalue"], [id, "a\u0001b=c"]]) {
    expect((await world.run("meta", "set", ...words)).code).toBe(2);
  }
});
