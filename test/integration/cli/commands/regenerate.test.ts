/** Making normal files of appender files. */
import { expect, test } from "vitest";
import { clientOf } from "../../../support/client.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("the new id is printed, the old one is gone", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const first = await client.uploadAppender(Buffer.from("abc"));
  const second = await client.uploadAppender(Buffer.from("def"));
  const { code, text } = await world.run("regenerate", first);
  expect(code).toBe(0);
  expect(String(await client.downloadBytes(text.trim(), { verify: true }))).toBe("abc");
  expect((await world.run("regenerate", first)).code).toBe(66);
  expect(await world.json("regenerate", second)).toEqual({
    before: second,
    fileId: expect.stringMatching(/^group1\//),
  });
});
