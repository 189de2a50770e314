/** Reading the store path of an old FastDFS server that no node serves. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NodeFiles } from "#platform/node/node-files.ts";
import { everythingIn, unpackStorePath } from "../../../support/store-path-vectors.ts";
import { TestWorld } from "../../../support/test-world.ts";

function oldDisk(): { readonly world: TestWorld; readonly old: string } {
  const world = new TestWorld();
  const old = world.path("old");
  mkdirSync(old);
  unpackStorePath("plain", new NodeFiles(), old);
  return { world, old };
}

test("what is well is said, and the exit code is 0; nothing is written", async () => {
  const { world, old } = oldDisk();
  const before = everythingIn(new NodeFiles(), old);
  const { code, text } = await world.run("scrub", "--directory", join(old, "path0"));
  expect(code).toBe(0);
  expect(text).toMatch(/^damaged +0$/m);
  expect(text).toMatch(/^good +[1-9]/m);
  expect(text).toMatch(/there is no binlog on this disk/);
  expect(everythingIn(new NodeFiles(), old)).toEqual(before);
});

test("what is damaged is listed, for programs as well, and shows in the exit code", async () => {
  const { world, old } = oldDisk();
  const [place = ""] = Object.keys(everythingIn(new NodeFiles(), `${old}/path0/data`)).filter(
    (path) => /^..\/..\/[\w-]{27}\d+\.txt$/.test(path),
  );
  const path = join(old, "path0/data", place);
  const content = readFileSync(path);
  content[0] = 0x21;
  writeFileSync(path, content);
  const found = await world.run("scrub", "--directory", "old/path0");
  expect(found.code).toBe(65);
  expect(found.text).toContain(`${place}, ${content.length} bytes: another content`);
  const { code, text } = await world.run("scrub", "--directory", "old/path0", "--json");
  expect(code).toBe(65);
  expect(JSON.parse(text)).toMatchObject({
    tally: { damaged: 1 },
    damaged: [{ place, damage: "content" }],
    names: "none",
  });
});

test("what is no store path is refused", async () => {
  const { world } = oldDisk();
  const { code, errors } = await world.run("scrub", "--directory", ".");
  expect(code).not.toBe(0);
  expect(errors).toContain("is no store path");
});
