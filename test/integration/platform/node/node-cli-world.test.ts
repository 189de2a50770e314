/** The world of the command line, as `main.ts` hands it over. */
import { expect, test } from "vitest";
import type { CliWorld } from "#cli/cli-world.ts";
import { nodeCliWorld } from "#platform/node/node-cli-world.ts";

test("it has all that the command line wants, and lets the process end when it is done", () => {
  using world = nodeCliWorld();
  const wanted: CliWorld = world;
  expect(wanted.workingDirectory).toBe(process.cwd());
  expect(wanted.environment).toBe(process.env);
  expect(Object.keys(wanted).toSorted()).toEqual([
    "arguments",
    "clock",
    "environment",
    "files",
    "machine",
    "network",
    "terminal",
    "workingDirectory",
  ]);
});
