/** FastDFS's configuration files as a cairn.toml. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { TestWorld } from "../../../support/test-world.ts";

function withFiles(): TestWorld {
  const world = new TestWorld();
  writeFileSync(world.path("tracker.conf"), "port = 22133\nstore_lookup = 2\nlog_level = info\n");
  writeFileSync(
    world.path("storage.conf"),
    `group_name = g1\nport = 23011\nbase_path = ${world.directory}\nstore_path0 = ${world.directory}\ntracker_server = 10.0.0.1:22122\n#include extra.conf\n`,
  );
  writeFileSync(world.path("extra.conf"), "upload_priority = 7\n");
  writeFileSync(world.path("client.conf"), "x = y\n");
  return world;
}

test("files are known by name, includes are followed, the rest is passed over", async () => {
  const world = withFiles();
  const { code, text, errors } = await world.run(
    "import-conf",
    "client.conf",
    "storage.conf",
    "tracker.conf",
  );
  expect(code).toBe(0);
  expect(text).toContain("port = 23011");
  expect(text).toContain("port = 22133");
  expect(text).toContain("upload_priority = 7");
  expect(errors).toContain("client.conf is passed over");
});

test("what is printed is settings that load", async () => {
  const world = withFiles();
  world.settings = (await world.run("import-conf", "storage.conf", "tracker.conf")).text;
  const { code, text } = await world.run("config", "show", "--local", "storage.group");
  expect([code, text]).toEqual([0, 'storage.group = "g1"\n']);
});

test("another name needs its kind, and is written where asked, not over what is there", async () => {
  const world = withFiles();
  writeFileSync(world.path("st.conf"), readFileSync(world.path("storage.conf")));
  expect((await world.run("import-conf", "st.conf")).code).toBe(2);
  const words = ["import-conf", "storage.conf=st.conf", "-o", "out.toml"];
  expect((await world.run(...words)).text).toBe("");
  expect(existsSync(world.path("out.toml"))).toBe(true);
  expect((await world.run(...words)).code).toBe(2);
  expect((await world.run(...words, "--yes")).code).toBe(0);
  expect((await world.run("import-conf", "storage.conf", "storage.conf=st.conf")).code).toBe(2);
  expect((await world.run("import-conf", "none/storage.conf")).code).toBe(66);
});

test("programs get settings, what was left out, and problems", async () => {
  const world = withFiles();
  const imported = await world.json("import-conf", "tracker.conf");
  expect(imported).toMatchObject({
    toml: expect.stringContaining("22133"),
    leftOut: expect.any(Array),
    problems: expect.any(Array),
  });
});
