/** Deleting files from the command line. */
import { expect, test } from "vitest";
import { clientOf } from "../../../support/client.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

async function threeFiles(cluster: FakeCluster): Promise<readonly string[]> {
  await using client = clientOf(cluster);
  const ids: string[] = [];
  for (const text of ["a", "b", "c"]) ids.push(await client.upload(Buffer.from(text)));
  return ids;
}

test("nothing is deleted unless somebody says so", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const [id = ""] = await threeFiles(cluster);
  expect(await world.run("rm", id)).toMatchObject({ code: 2 });
  world.terminal.inputIsTerminal = true;
  world.terminal.errorIsTerminal = true;
  world.terminal.answers = ["no", "Yes"];
  expect((await world.run("rm", id)).code).toBe(1);
  expect(cluster.storage.files.size).toBe(3);
  expect((await world.run("rm", id)).code).toBe(0);
  expect(cluster.storage.files.size).toBe(2);
  expect(world.terminal.questions[0]).toBe(`Delete ${id}? [y/N] `);
});

test("what is missing does not keep the others", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const [a = "", b = "", c = ""] = await threeFiles(cluster);
  await world.run("rm", "--yes", b);
  const { code, text } = await world.run("rm", "--yes", a, b, c, "--json");
  expect([code, cluster.storage.files.size]).toEqual([66, 0]);
  expect(JSON.parse(text)).toMatchObject({
    deleted: [a, c],
    failures: [{ item: b, code: "file-missing" }],
  });
  expect(await world.run("rm", "--yes", "--missing-ok", a)).toEqual({
    code: 0,
    text: "",
    errors: "",
  });
});
