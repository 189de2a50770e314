/** Retiring, draining and rebalancing disks at the command line. */
import { expect, test } from "vitest";
import type { ToldMove } from "#control/operations/disk-moves.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

const [from, to] = ["b".repeat(32), "c".repeat(32)];
const planned = [
  { storePath: 1, from, to, fromName: "/dev/sdb1", toName: "/dev/sdc1", bytes: 3_000_000_000 },
];
const move: ToldMove = {
  ...{ storePath: 1, from, to, purpose: "retire", phase: "copying", begunAt: 1 },
  ...{ problem: "one file could not be read", unreadable: ["00/01/bad"] },
  ...{ files: 12, bytes: 2048, copiedFiles: 5, copiedBytes: 1024, passes: 1 },
};

const squeezed = (text: string): readonly string[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/ {2,}/g, " | "));

test("a disk is retired as it was shown, and only with a yes", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.planned = planned;
  expect((await world.run("disk", "retire", "sdb", "--socket", "sock")).code).not.toBe(0);
  expect(daemon.diskOrders).toEqual([]);
  const done = await world.run("disk", "retire", "sdb", "--yes", "--socket", "sock");
  expect(squeezed(done.text)).toEqual([
    "STORE PATH | SIZE | FROM | TO",
    "M01 | 2.8 GiB | /dev/sdb1 | /dev/sdc1",
    "it has begun: cairn disk moves tells how far it is",
  ]);
  expect(daemon.diskOrders).toEqual(["retire 1"]);
});

test("a disk is drained, and takes files again", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const drained = await world.run("disk", "drain", "sdb", "--socket", "sock");
  expect(drained.text).toBe("/dev/sdb1 takes no new files\n");
  const again = await world.run("disk", "undrain", "sdb", "--socket", "sock");
  expect(again.text).toBe("/dev/sdb1 takes new files again\n");
  expect(daemon.diskOrders).toEqual(["drain", "undrain"]);
});

test("store paths are spread over the disks where that gains anything", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const none = await world.run("disks", "rebalance", "--socket", "sock");
  expect(none.text).toContain("nothing to move");
  daemon.planned = planned;
  expect((await world.run("disks", "rebalance", "--socket", "sock")).code).not.toBe(0);
  const json = await world.run("disks", "rebalance", "--yes", "--json", "--socket", "sock");
  expect(JSON.parse(json.text)).toEqual({ moves: planned });
  expect(daemon.diskOrders).toEqual(["rebalance 1"]);
});

test("moves tell how far they are and what cannot be read, and are called off by the name of the path", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const none = await world.run("disk", "moves", "--socket", "sock");
  expect(none.text).toBe("no store path was ever moved\n");
  daemon.moves = [move];
  const shown = await world.run("disk", "moves", "--socket", "sock");
  expect(squeezed(shown.text)).toEqual([
    "STORE PATH | FROM | TO | STATE | FILES | SEEN | COPIED",
    "M01 | bbbbbbbb | cccccccc | copying | 12 | 2.0 KiB | 1.0 KiB | one file could not be read",
    "",
    "M01: files without a good copy",
    " | 00/01/bad",
  ]);
  await world.run("disk", "moves", "--cancel", "M01", "--socket", "sock");
  await world.run("disk", "moves", "--leave-unreadable", "1F", "--socket", "sock");
  expect(daemon.diskOrders).toEqual(["cancel 1", "leave-unreadable 31"]);
  const wrong = await world.run("disk", "moves", "--cancel", "first", "--socket", "sock");
  expect(wrong.code).not.toBe(0);
});
