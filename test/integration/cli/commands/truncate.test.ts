/** Setting sizes from the command line. */
import { expect, test } from "vitest";
import { clientOf } from "../../../support/client.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("a size is set when somebody says so", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const id = await client.uploadAppender(Buffer.from("abcdef"));
  expect((await world.run("truncate", id, "2")).code).toBe(2);
  expect((await world.run("truncate", id, "2 apples", "--yes")).code).toBe(2);
  expect((await world.run("truncate", id, "2", "--yes")).code).toBe(0);
  expect(String(await client.downloadBytes(id))).toBe("ab");
  expect((await world.run("truncate", id, "1KiB", "--yes")).code).toBe(0);
  expect(await client.downloadBytes(id)).toHaveLength(1024);
});
