/** The command line as a whole: help, versions, wrong usage, interrupts, a reader that leaves, bugs. */
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runCli } from "#cli/cli.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { clientOf } from "../../support/client.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";
import { TestWorld } from "../../support/test-world.ts";

test("help and version go to standard output with code 0", async () => {
  const world = new TestWorld();
  expect(await world.run("--version")).toEqual({ code: 0, text: "cairn 1.2.3\n", errors: "" });
  for (const words of [[], ["help"], ["--help"], ["help", "put"], ["put", "--help"]]) {
    const { code, text, errors } = await world.run(...words);
    expect([code, errors]).toEqual([0, ""]);
    expect(text).toContain("Usage: cairn");
  }
  expect((await world.run("help", "put")).text).toBe((await world.run("put", "-h")).text);
});

test("wrong usage goes to standard error with code 2, and asks nobody", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  for (const words of [["putt"], ["put"], ["put", "x", "--nope"], ["rm", "nonsense", "--yes"]]) {
    const { code, text, errors } = await world.run(...words);
    expect([code, text]).toEqual([2, ""]);
    expect(errors).toMatch(/^cairn: error: .+\n$/);
  }
  expect(cluster.tracker.asked).toEqual([]);
});

test("Ctrl-C ends a command with 130", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  cluster.tracker.faults.silent = true;
  const running = world.run("ls", "groups");
  await expect.poll(() => cluster.tracker.asked).toHaveLength(1);
  world.terminal.interrupt();
  expect(await running).toEqual({ code: 130, text: "", errors: "interrupted\n" });
});

test("a reader that leaves ends a command quietly with 141", async () => {
  await using cluster = await FakeCluster.start({ groups: { a: 1, b: 1 } });
  const world = new TestWorld(cluster);
  world.terminal.outputEndsAfter = 10;
  expect(await world.run("ls", "groups")).toMatchObject({ code: 141, errors: "" });
  await using client = clientOf(cluster);
  const id = await client.upload(Buffer.alloc(5_000_000));
  expect(await world.run("get", "-o", "-", id, id)).toMatchObject({ code: 141, errors: "" });
});

test("a mistake of ours is an internal error, not the user's", async () => {
  const world = new TestWorld();
  const { terminal, environment, files, machine, network, directory } = world;
  const broken = {
    arguments: ["version"],
    workingDirectory: directory,
    clock: nodeClock,
    get machine(): typeof machine {
      throw new TypeError("our mistake");
    },
  };
  const given = { terminal, environment, files, network };
  const code = await runCli(
    Object.defineProperties(given, Object.getOwnPropertyDescriptors(broken)) as never,
    world.parts,
  );
  expect([code, terminal.errors]).toEqual([70, "cairn: error: our mistake\n"]);
});

test("a cluster's file goes in and comes out", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  writeFileSync(world.path("a.txt"), "hello");
  const { text } = await world.run("put", "a.txt");
  expect(await world.run("get", "-o", "-", text.trim())).toEqual({
    code: 0,
    text: "hello",
    errors: "",
  });
});
