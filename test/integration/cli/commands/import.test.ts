/** The daemon starts it; the command line offers it to nobody. */
import { expect, test } from "vitest";
import { TestWorld } from "../../../support/test-world.ts";

test("the import is started, and people are offered the one for them", async () => {
  const world = new TestWorld();
  expect((await world.run("import")).code).toBe(0);
  const { text } = await world.run("help");
  expect(text).not.toMatch(/^\s*import\b(?!-)/m);
  expect(text).toMatch(/disk import\b/);
});
