/** `cairn disk replace` against a control socket whose helper answers what the test chose. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { Log } from "#base/log.ts";
import { ControlBus } from "#control/control-bus.ts";
import { diskGivingOperations } from "#control/operations/disk-giving.ts";
import { diskMoveOperations } from "#control/operations/disk-moves.ts";
import { diskGivingHandlers } from "#daemon/disk-giving-operations.ts";
import { diskMoveHandlers } from "#daemon/disk-move-operations.ts";
import type { DiskMoves } from "#daemon/disk-moves.ts";
import type { LostDisk } from "#disks/moves/new-disk-paths.ts";
import { DiskId } from "#model/disk-id.ts";
import { ControlServer } from "#net/control-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { givingStage } from "../../../support/fake-helper.ts";
import { TestWorld } from "../../../support/test-world.ts";

const gone: LostDisk = {
  disk: { diskId: DiskId("9".repeat(32)), role: "store", seenAt: 1_700_000_000, paths: [] },
  storePaths: [3],
};

async function stage(lost: readonly LostDisk[]) {
  const world = new TestWorld();
  const { helper, giving } = givingStage();
  const bus = new ControlBus();
  const asked: string[] = [];
  const moves = {
    planRetire: async (disk: string, to: string) => {
      asked.push(`plan ${disk} ${to === disk ? "nowhere" : "to the new one"}`);
      if (disk !== "sda") throw new AppError("disk-unknown", `${disk} is no disk of this node`);
      if (to === disk) throw new AppError("no-room", "there is none");
      return { disk: { diskId: "a".repeat(32), name: "/dev/sda1" }, moves: [] };
    },
    retire: async (disk: string) => {
      asked.push(`retire ${disk.slice(0, 4)}`);
      return { diskId: "a".repeat(32) };
    },
  } as unknown as DiskMoves;
  bus.add(
    diskGivingOperations,
    diskGivingHandlers(
      () => giving,
      () => lost,
    ),
  );
  bus.add(
    diskMoveOperations,
    diskMoveHandlers(() => moves),
  );
  const server = new ControlServer({
    ...{ network: new NodeNetwork(), clock: nodeClock, log: new Log("test", () => {}), bus },
    ...{ path: world.path("sock"), caller: { name: "test", access: "owner" } },
  });
  await server.start();
  const run = (...words: readonly string[]) => world.run("disk", ...words, "--socket", "sock");
  const passport = () => helper.asked.findLast(({ verb }) => verb === "provision")?.input;
  return { asked, run, passport, [Symbol.asyncDispose]: () => server.stop() };
}

test("a disk that is gone is replaced by its id: the new one gets its store paths", async () => {
  await using its = await stage([gone]);
  expect(await its.run("replace", "9999", "sdb", "--yes")).toMatchObject({ code: 0 });
  expect(its.passport()).toMatchObject({ passport: expect.stringContaining("with 3") });
  expect(its.asked).toEqual([]);
});

test("a disk that is still there gives its store paths to the new one", async () => {
  await using its = await stage([]);
  const { code, text } = await its.run("replace", "sda", "/dev/sdb", "--yes");
  expect(code).toBe(0);
  expect(text).toContain("/dev/sda1 is retired");
  expect(its.asked).toEqual(["plan sda nowhere", "plan sda to the new one", "retire aaaa"]);
  expect(its.passport()).toMatchObject({ passport: expect.stringMatching(/with $/) });
});

test("nothing is written where the old disk is not known", async () => {
  await using its = await stage([]);
  expect((await its.run("replace", "sdx", "sdb", "--yes")).code).not.toBe(0);
  expect(its.passport()).toBeUndefined();
  expect((await its.run("replace", "sda", "sdb")).code).not.toBe(0);
});
