/** How much the daemon logs. */
import { expect, test } from "vitest";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("the level is changed, and what it was is told", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const words = ["log-level", "debug", "--socket", "sock"];
  expect(await world.run(...words)).toEqual({
    code: 0,
    text: "",
    errors: "the log level was info and is debug\n",
  });
  expect(daemon.level).toBe("debug");
  expect((await world.run("log-level", "loud", "--socket", "sock")).code).toBe(2);
  daemon.refuses = true;
  expect((await world.run(...words)).code).toBe(77);
});
