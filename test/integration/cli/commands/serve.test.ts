/** The daemon is started by others; the command line passes on what was asked for. */
import { expect, test } from "vitest";
import { TestWorld } from "../../../support/test-world.ts";

test("settings and their file are passed on, the daemon's exit code comes back", async () => {
  const world = new TestWorld();
  world.environment.CAIRN_CONFIG = "/etc/other.toml";
  const words = ["serve", "--set", "storage.port=1", "--set", "tracker.port=2"];
  expect((await world.run(...words)).code).toBe(7);
  expect((await world.run("serve", "--config", "mine.toml")).code).toBe(7);
  expect(world.served).toEqual([
    { file: "/etc/other.toml", settings: ["storage.port=1", "tracker.port=2"] },
    { file: "mine.toml", settings: [] },
  ]);
});
