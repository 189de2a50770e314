/** The settings, of the daemon or of the files here. */
import { expect, test } from "vitest";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("without a daemon it shows what one would use, and says so", async () => {
  const world = new TestWorld();
  world.settings = "[storage]\nport = 23001\n";
  const { code, text, errors } = await world.run("config", "show", "storage.port");
  expect([code, text]).toEqual([0, "storage.port = 23001\n"]);
  expect(errors).toContain("no daemon answers");
  expect((await world.run("config", "show", "--local", "tracker")).errors).toBe("");
});

test("origins are told, and what is built in can be left out", async () => {
  const world = new TestWorld();
  world.settings = "[storage]\nport = 23001\n";
  const words = ["config", "show", "--origin", "--changed", "--set", "tracker.port=22123"];
  const { text } = await world.run(...words);
  expect(text.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
    ["SETTING", "VALUE", "FROM"],
    ["tracker.port", "22123", "command line"],
    ["storage.port", "23001", "cairn.toml:2"],
    [""],
  ]);
  const all = (await world.run("config", "show", "--local")).text.split("\n");
  expect(all.length).toBeGreaterThan(50);
});

test("a daemon's own settings come first", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.settings = [
    {
      key: "storage.port",
      value: "1",
      origin: "environment CAIRN_STORAGE_PORT",
      unit: "",
      applies: "role-restart",
      says: "TCP port.",
    },
  ];
  expect(await world.json("config", "show", "--socket", "sock")).toEqual({
    fromDaemon: true,
    settings: daemon.settings,
  });
});

test("settings that are not valid are listed, with code 78", async () => {
  const world = new TestWorld();
  world.settings = "[storage]\nport = 99999\nprot = 5\n";
  const { code, errors } = await world.run("config", "show", "--local");
  expect(code).toBe(78);
  expect(errors).toContain("cairn.toml:2: storage.port");
  expect(errors).toContain("did you mean storage.port?");
});
