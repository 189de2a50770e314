/** Importing foreign disks, at the command line. */
import { expect, test } from "vitest";
import type { ShownImport } from "#control/operations/disk-imports.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

const disk = "d".repeat(32);
const done: ShownImport = {
  ...{ id: disk, from: disk, state: "done", problem: undefined },
  ...{ files: 7, bytes: 2048, left: 0, leftNames: [], lists: ["/data/imports/d-0.list"] },
};

test("an import is shown to its end, with where the list is; what could not be had fails it", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.imports = [done];
  const said = await world.run("disk", "import", disk, "--yes", "--socket", "sock");
  expect(said.code).toBe(0);
  expect(said.text).toContain("all is stored\n7 files, 2.0 KiB\n");
  expect(said.text).toContain("old and new ids: /data/imports/d-0.list");
  daemon.imports = [{ ...done, left: 1, leftNames: ["00/00/x: the disk does not give it (EIO)"] }];
  const less = await world.run(
    "disk",
    "import",
    "old",
    "--store-path",
    "1",
    "--group",
    "g2",
    "--yes",
    "--socket",
    "sock",
  );
  expect(less.code).not.toBe(0);
  expect(less.text).toContain("1 not to be had");
  expect(less.text).toContain("00/00/x: the disk does not give it (EIO)");
  daemon.imports = [{ ...done, state: "failed", problem: "the disk has gone" }];
  const failed = await world.run("disk", "import", disk, "--yes", "--socket", "sock");
  expect(failed.text).toContain("interrupted: the disk has gone; the same command goes on");
  expect(daemon.importsAsked).toEqual([
    { disk },
    { directory: world.path("old"), group: "g2", storePath: 1 },
    { disk },
  ]);
});

test("nothing is imported without a yes, and a number is one", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  expect((await world.run("disk", "import", disk, "--socket", "sock")).code).not.toBe(0);
  const wrong = ["disk", "import", "old", "--store-path", "256", "--yes", "--socket", "sock"];
  expect((await world.run(...wrong)).code).not.toBe(0);
  expect(daemon.importsAsked).toEqual([]);
  const detached = await world.run("disk", "import", disk, "--detach", "--yes", "--socket", "sock");
  expect(detached.text).toContain("cairn disk imports");
});

test("each import is a line", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  expect((await world.run("disk", "imports", "--socket", "sock")).text).toBe(
    "nothing was imported\n",
  );
  daemon.imports = [{ ...done, state: "waiting", problem: "its disk is not there" }];
  const { text } = await world.run("disk", "imports", "--socket", "sock");
  expect(text).toContain("waiting");
  expect(text).toContain("its disk is not there");
});
