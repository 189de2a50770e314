/** What options a command has. */
import { expect, test } from "vitest";
import { type Command, optionsOf } from "#cli/command.ts";

const command: Command = {
  name: "do",
  summary: "do it",
  description: ["Does it."],
  positionals: [],
  options: [{ name: "own", says: "its own" }],
  shared: ["json", "tracker"],
  examples: [],
  run: async () => undefined,
};

test("its own come first, then the shared ones it takes, then those of all", () => {
  const names = optionsOf(command).map((option) => option.name);
  expect(names).toEqual(["own", "json", "tracker", "quiet", "help"]);
});
