/** Looking through trunk files because somebody asked for it. */
import { expect, test } from "vitest";
import type { NodeStatus } from "#control/operations/system.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

type Path = NodeStatus["storePaths"][number];
type Rebuild = NonNullable<NonNullable<Path["trunkFiles"]>["rebuild"]>;

const finished: Rebuild = {
  ...{ id: 1000, state: "done", filesTotal: 3, files: 2, skipped: 1, slots: 40 },
  ...{ freeBytesBefore: 1024 ** 2, freeBytes: 3 * 1024 ** 2, damagedBytes: 0, unnamed: 2 },
};

function withRebuild(daemon: FakeDaemon, rebuild: Rebuild | undefined): void {
  const [path] = daemon.status.storePaths;
  if (path === undefined) throw new Error("no path");
  const trunkFiles = { files: 3, totalBytes: 192 * 1024 ** 2, freeBytes: 1024 ** 2 };
  daemon.status = {
    ...daemon.status,
    storePaths: [{ ...path, trunkFiles: { ...trunkFiles, unknownFiles: 0, rebuild } }],
  };
}

test("it waits until the daemon is done, and says what was found", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.rebuilds = [{ storePath: 0, rebuild: 1000 }];
  withRebuild(daemon, { ...finished, id: 900 });
  const running = world.run("packing", "rebuild", "--socket", "sock");
  await new Promise((resolve) => setTimeout(resolve, 100));
  withRebuild(daemon, { ...finished, state: "running", files: 1 });
  const { text: status } = await world.run("status", "--socket", "sock");
  expect(status).toMatch(/1\.0 MiB of 192 MiB, rebuild at 2 of 3/);
  withRebuild(daemon, finished);
  const { code, text } = await running;
  expect(code).toBe(0);
  for (const line of [
    /^trunk files +2 of 3 looked through, 1 in use or gone and left out$/m,
    /^slots +40$/m,
    /^free before +1\.0 MiB$/m,
    /^free now +3\.0 MiB$/m,
    /^damaged +nothing$/m,
    /^without a name +2$/m,
  ]) {
    expect(text).toMatch(line);
  }
});

test("damage and an end before the end show in the exit code; programs get it all", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const command = ["packing", "rebuild", "--store-path", "0", "--socket", "sock"];
  expect(await world.run(...command)).toMatchObject({
    code: 0,
    errors: "this node has no trunk files of its own\n",
  });
  daemon.rebuilds = [{ storePath: 0, rebuild: 1000 }];
  withRebuild(daemon, { ...finished, unnamed: undefined });
  expect((await world.run(...command)).text).toMatch(/^without a name +not known$/m);
  withRebuild(daemon, { ...finished, damagedBytes: 10 });
  expect((await world.run(...command)).code).toBe(65);
  withRebuild(daemon, { ...finished, state: "stopped" });
  expect((await world.run(...command)).code).toBe(1);
  withRebuild(daemon, finished);
  expect(await world.json(...command)).toEqual({ rebuilds: [{ storePath: 0, rebuild: finished }] });
  expect((await world.run("packing", "rebuild", "--store-path", "x")).code).toBe(2);
});

test("both halves of a mirror are waited for, or the one that was named", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.rebuilds = [
    { half: "first", storePath: 0, rebuild: 1000 },
    { half: "second", storePath: 0, rebuild: 1000 },
  ];
  withRebuild(daemon, { ...finished, slots: 7 });
  const { storePaths: secondPaths } = daemon.status;
  withRebuild(daemon, finished);
  const half = { half: "second", endpoint: "10.0.0.1:23001", trackers: [] } as const;
  daemon.status = { ...daemon.status, mirror: { ...half, storePaths: secondPaths } };
  const command = ["packing", "rebuild", "--socket", "sock"];
  const { text } = await world.run(...command);
  for (const line of [
    /^store path +0 of the first half$/m,
    /^store path +0 of the second half$/m,
  ]) {
    expect(text).toMatch(line);
  }
  expect(await world.json(...command, "--half", "second")).toEqual({
    rebuilds: [{ half: "second", storePath: 0, rebuild: { ...finished, slots: 7 } }],
  });
  expect((await world.run(...command, "--half", "third")).code).toBe(2);
});
