/** Help as a command like others. */
import { expect, test } from "vitest";
import { TestWorld } from "../../../support/test-world.ts";

test("help is found by word and by option, and helps with wrong words", async () => {
  const world = new TestWorld();
  expect((await world.run("help")).text).toContain("cairn COMMAND");
  expect((await world.run("help", "meta", "set")).text).toContain("cairn meta set");
  expect((await world.run("help", "help")).text).toContain("cairn help");
  const { code, errors } = await world.run("help", "pu");
  expect([code, errors]).toEqual([
    2,
    'cairn: error: there is no help on "pu"; did you mean put?\n',
  ]);
});
