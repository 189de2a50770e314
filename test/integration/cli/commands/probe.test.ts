/** The daemon starts it; the command line passes on what was asked for, and offers it to nobody. */
import { expect, test } from "vitest";
import { TestWorld } from "../../../support/test-world.ts";

test("the probe is started with or without a package's name", async () => {
  const world = new TestWorld();
  expect((await world.run("probe")).code).toBe(7);
  expect((await world.run("probe", "node-disk-info")).code).toBe(7);
  expect(world.probed).toEqual([undefined, "node-disk-info"]);
});

test("people are not offered it", async () => {
  const world = new TestWorld();
  expect((await world.run("help")).text).not.toMatch(/^\s*probe\b/m);
  expect((await world.run("completion", "bash")).text).not.toMatch(/\bprobe\b/);
});
