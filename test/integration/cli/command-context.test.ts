/** What a command works with. */
import { expect, test } from "vitest";
import { contextOf } from "../../support/command-context.ts";
import { TestWorld } from "../../support/test-world.ts";

test("paths start from the working directory", () => {
  const world = new TestWorld();
  const context = contextOf(world, { positionals: ["a"] });
  expect([context.path("x"), context.path("/y"), context.positional(0)]).toEqual([
    world.path("x"),
    "/y",
    "a",
  ]);
  expect(() => context.positional(1)).toThrow("an argument is missing");
});

test("the settings file is that of the option, else of the environment", () => {
  const world = new TestWorld();
  expect(contextOf(world).configRequest).toEqual({ file: undefined, settings: [] });
  world.environment.CAIRN_CONFIG = "env.toml";
  expect(contextOf(world).configRequest.file).toBe("env.toml");
  const values = { config: ["mine.toml"], set: ["a=b", "c=d"] };
  expect(contextOf(world, { values }).configRequest).toEqual({
    file: "mine.toml",
    settings: ["a=b", "c=d"],
  });
});

test("settings that are not valid are said, and the default is used in their place", () => {
  const world = new TestWorld();
  world.settings = "[storage]\nprot = 5\n";
  const context = contextOf(world);
  expect(context.trackers()).toEqual([{ address: "127.0.0.1", port: 22122 }]);
  expect(world.terminal.errors).toContain(
    "cairn: warning: the settings are not used: cairn.toml:2",
  );
  expect(context.controlClient().path).toBe(world.path("data/cairn.sock"));
});

test("the socket is that of option, environment or settings", () => {
  const world = new TestWorld();
  world.settings = '[node]\ndata_dir = "/d"\n';
  expect(contextOf(world).controlClient().path).toBe("/d/cairn.sock");
  world.environment.CAIRN_SOCKET = "env.sock";
  expect(contextOf(world).controlClient().path).toBe(world.path("env.sock"));
  const values = { socket: ["/mine.sock"] };
  expect(contextOf(world, { values }).controlClient().path).toBe("/mine.sock");
});

test("somebody is asked, or --yes answers", async () => {
  const world = new TestWorld();
  await expect(contextOf(world).confirm("Really?")).rejects.toMatchObject({ code: "usage" });
  expect(await contextOf(world, { values: { yes: [""] } }).confirm("Really?")).toBe(true);
  world.terminal.inputIsTerminal = true;
  world.terminal.errorIsTerminal = true;
  world.terminal.answers = ["y", "YES", "", "n", "yesterday"];
  const answers: boolean[] = [];
  for (let count = 0; count < 5; count += 1) {
    answers.push(await contextOf(world).confirm("Really?"));
  }
  expect(answers).toEqual([true, true, false, false, false]);
});
