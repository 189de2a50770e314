/** `cairn disk add` and `cairn disk eject` against a control socket whose helper answers what the test chose. */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { helperCommand } from "#cli/commands/helper.ts";
import { ControlBus } from "#control/control-bus.ts";
import { diskGivingOperations } from "#control/operations/disk-giving.ts";
import { diskGivingHandlers } from "#daemon/disk-giving-operations.ts";
import type { Identified } from "#disks/helper-protocol.ts";
import type { LostDisk } from "#disks/moves/new-disk-paths.ts";
import { DiskId } from "#model/disk-id.ts";
import { ControlServer } from "#net/control-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { givingStage } from "../../../support/fake-helper.ts";
import { TestWorld } from "../../../support/test-world.ts";

const photos: Identified["signatures"][number] = {
  ...{ type: "ext4", usage: "filesystem", says: "a Linux file system (ext4)", label: "PHOTOS" },
  atBytes: 1080,
};

const gone: LostDisk = {
  disk: { diskId: DiskId("9".repeat(32)), role: "store", seenAt: 1_700_000_000, paths: [] },
  storePaths: [3],
};

async function stage(lost: readonly LostDisk[] = []) {
  const world = new TestWorld();
  const { helper, giving, placed } = givingStage();
  const bus = new ControlBus();
  bus.add(
    diskGivingOperations,
    diskGivingHandlers(
      () => giving,
      () => lost,
    ),
  );
  const server = new ControlServer({
    ...{ network: new NodeNetwork(), clock: nodeClock, log: new Log("test", () => {}), bus },
    ...{ path: world.path("sock"), caller: { name: "test", access: "owner" } },
  });
  await server.start();
  const run = (...words: readonly string[]) => world.run("disk", ...words, "--socket", "sock");
  return { world, helper, placed, run, [Symbol.asyncDispose]: () => server.stop() };
}

test("a blank disk is given with a yes, or --yes", async () => {
  await using its = await stage();
  expect(await its.run("add", "/dev/sdb")).toMatchObject({ code: 2 });
  const { code, text } = await its.run("add", "/dev/sdb", "--yes", "--file-system", "btrfs");
  expect({ code, placed: its.placed }).toEqual({ code: 0, placed: ["/srv/cairn/it"] });
  expect(text).toContain("every byte of it was read");
  expect(its.helper.asked.at(-1)?.input).toMatchObject({ plan: { fileSystem: "btrfs" } });
  expect(await its.run("add", "sdb", "--yes", "--file-system", "ntfs")).toMatchObject({ code: 2 });
  expect(await its.run("add", "../sdb", "--yes")).toMatchObject({ code: expect.any(Number) });
});

test("--yes is not enough for a disk with something on it; its name is", async () => {
  await using its = await stage();
  const { identified } = its.helper;
  its.helper.identified = { ...identified, blank: false, signatures: [photos], whyNotBlank: "x" };
  const refused = await its.run("add", "sdb", "--yes");
  expect(refused.code).toBe(2);
  expect(refused.text).toContain('a Linux file system (ext4) "PHOTOS"');
  expect(its.helper.asked.some(({ verb }) => verb === "provision")).toBe(false);
  const named = ["--model", "Disk", "--serial", "S1", "--size", "4000000000000"];
  expect(await its.run("add", "sdb", ...named)).toMatchObject({ code: 0 });
  expect(its.helper.asked.at(-1)?.input).toMatchObject({
    typed: { model: "Disk", serial: "S1", sizeBytes: 4e12 },
  });
});

test("--read finds out whether it is blank first", async () => {
  await using its = await stage();
  its.helper.identified = { ...its.helper.identified, blank: false, whyNotBlank: "not read" };
  expect(await its.run("add", "sdb", "--read", "--yes")).toMatchObject({ code: 0 });
  expect(its.helper.asked.map(({ verb }) => verb)).toEqual([
    ...["identify", "read", "identify", "provision"],
  ]);
});

test("obstacles are told and end it, what was interrupted goes on or is undone", async () => {
  await using its = await stage();
  const { identified } = its.helper;
  const obstacles = [{ code: "mounted", says: "it is mounted at /photos" }];
  its.helper.identified = { ...identified, obstacles };
  const refused = await its.run("add", "sdb", "--yes");
  expect(refused).toMatchObject({ code: 77 });
  const diskId = "2".repeat(32);
  its.helper.identified = { ...identified, unfinished: { diskId, canContinue: true } };
  expect(await its.run("add", "sdb", "--yes")).toMatchObject({ code: 0 });
  expect(its.helper.asked.at(-1)?.input).toMatchObject({ action: "continue", plan: { diskId } });
  expect(await its.run("add", "sdb", "--yes", "--undo")).toMatchObject({ code: 0 });
  expect(its.helper.asked.at(-1)?.input).toMatchObject({ action: "undo" });
  its.helper.identified = { ...identified, unfinished: { diskId, canContinue: false } };
  expect(await its.run("add", "sdb", "--yes")).toMatchObject({ code: 77 });
});

test("an ejected disk can be pulled", async () => {
  await using its = await stage();
  const { code, text } = await its.run("eject", "sdb");
  expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining("can be pulled") });
  expect(its.helper.asked.at(-1)).toEqual({ verb: "eject", input: { disk: "sdb", sequence: 7 } });
});

test("the helper is started by others, and listed nowhere", async () => {
  const world = new TestWorld();
  expect(await world.run("helper", "--stdio")).toMatchObject({ code: 0 });
  expect((await world.run("help")).text).not.toContain(helperCommand.summary);
});

test("where a disk is gone, the new one takes its place, and nobody is surprised by that", async () => {
  await using its = await stage([gone]);
  const unsaid = await its.run("add", "sdb", "--yes");
  expect(unsaid).toMatchObject({ code: 2 });
  expect(its.helper.asked.some(({ verb }) => verb === "provision")).toBe(false);
  const { code, text } = await its.run("add", "sdb", "--yes", "--replace");
  expect(code).toBe(0);
  expect(text).toContain("takes the place of disk 99999999 (M03), gone since 2023-11-14");
  expect(its.helper.asked.at(-1)?.input).toMatchObject({
    passport: expect.stringContaining("with 3"),
  });
  await its.run("add", "sdb", "--yes", "--new-path");
  expect(its.helper.asked.at(-1)?.input).toMatchObject({
    passport: expect.not.stringContaining("with"),
  });
  expect(await its.run("add", "sdb", "--yes", "--new-path", "--replace")).toMatchObject({
    code: 2,
  });
});
