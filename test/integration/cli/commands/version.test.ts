/** What this is. */
import { expect, test } from "vitest";
import { TestWorld } from "../../../support/test-world.ts";

test("version, runtime and system", async () => {
  const world = new TestWorld();
  expect((await world.run("version")).text).toBe("cairn 1.2.3 (Node 26.10.0, Linux 6.12.0 x64)\n");
  expect(await world.json("version")).toEqual({
    version: "1.2.3",
    runtime: "26.10.0",
    system: "Linux 6.12.0 x64",
  });
});
