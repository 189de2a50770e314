/** What a restart does about a disk that was being made one of the node's. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { GivingAgain } from "#disks/provision/giving-again.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { healthDisk } from "../../../support/disk-health-stage.ts";
import { givingStage } from "../../../support/fake-helper.ts";
import { collectedLog } from "../../../support/frame-fixture.ts";
import { turns } from "../../../support/settled.ts";

const free = (name: string, sequence = 7): DiskFacts => healthDisk(name, { sequence, mounts: [] });

/** A node that ended while it made `sdb` its own. */
async function restarted() {
  const first = givingStage();
  first.helper.failure = new AppError("helper-unreachable", "it was killed");
  const diskId = first.giving.add({
    ...{ disk: "sdb", sequence: 7, token: "1".repeat(32), typed: undefined, fileSystem: "ext4" },
  });
  await turns();
  const stage = givingStage(first.notes);
  let disks: readonly DiskFacts[] = [];
  const { log, records } = collectedLog();
  const again = new GivingAgain({ giving: stage.giving, disks: () => disks, log });
  const see = async (...now: DiskFacts[]): Promise<void> => {
    disks = now;
    await again.look();
    await turns();
  };
  const say = (unfinished: { diskId: string; canContinue: boolean } | undefined): void => {
    const { unfinished: _, ...rest } = stage.helper.identified;
    stage.helper.identified = unfinished === undefined ? rest : { ...rest, unfinished };
  };
  const asked = (): string[] =>
    stage.helper.asked.splice(0).map(({ verb, input }) => {
      const { disk, action = "" } = input as { disk: string; action?: string };
      return `${verb} ${disk} ${action}`.trim();
    });
  return { ...stage, diskId, see, say, asked, events: () => records.map(({ event }) => event) };
}

test("it goes on by itself as soon as the disk is there, and without asking disks that are in use", async () => {
  const { see, say, asked, diskId, giving, events } = await restarted();
  await see(healthDisk("sda"), healthDisk("sdz", { mounts: [], ofSystem: true }));
  expect(asked()).toEqual([]);
  say({ diskId, canContinue: true });
  await see(healthDisk("sda"), free("sdb"));
  expect(asked()).toEqual(["identify sdb", "provision sdb continue"]);
  expect(giving.givings).toMatchObject([{ diskId, state: "done" }]);
  expect(events()).toEqual(["disk-giving-goes-on"]);
  // Nothing is open any more: nobody is asked.
  await see(free("sdc", 9));
  expect(asked()).toEqual([]);
});

test("another disk, another node's work and one that cannot go on are left alone, each asked once a plugging", async () => {
  const { see, say, asked, giving, diskId, helper } = await restarted();
  await see(free("sdb"));
  await see(free("sdb"));
  expect(asked()).toEqual(["identify sdb"]);
  const plug = async (sequence: number): Promise<void> => {
    helper.identified = { ...helper.identified, device: { ...helper.identified.device, sequence } };
    await see(free("sdb", sequence));
  };
  say({ diskId: "f".repeat(32), canContinue: true });
  await plug(8);
  say({ diskId, canContinue: false });
  await plug(9);
  expect(asked()).toEqual(["identify sdb", "identify sdb"]);
  expect(giving.givings).toMatchObject([{ diskId, state: "interrupted" }]);
});

test("what fails again waits for a person", async () => {
  const { see, say, asked, diskId, giving, helper } = await restarted();
  say({ diskId, canContinue: true });
  helper.failure = new AppError("command-failed", "mkfs failed");
  await see(free("sdb"));
  expect(giving.givings).toMatchObject([{ state: "interrupted", problem: "mkfs failed" }]);
  await see(free("sdb", 8));
  expect(asked()).toEqual(["identify sdb", "provision sdb continue"]);
});
