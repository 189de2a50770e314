/** `cairn disk smart` and `cairn disk locate` against a daemon with chosen answers. */
import { expect, test } from "vitest";
import type { ToldHealth } from "#control/operations/disk-health.ts";
import type { ShownDisk } from "#control/operations/disks.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { smartVectorFacts } from "../../../support/smart-vectors.ts";
import { TestWorld } from "../../../support/test-world.ts";

const disk: ShownDisk = {
  ...{ name: "sda", key: "sda#7", where: "SATA 1", bus: "sata", model: "ST4000", serial: "Z300" },
  ...{ sizeBytes: 4e12, logicalSectorBytes: 512, physicalSectorBytes: 4096, removable: false },
  ...{ readOnly: false, content: "ext4", signatures: [], partitions: [], mounts: [] },
  ...{ ofSystem: false, storePaths: [], problems: [] },
};

const told: ToldHealth = {
  disk: "sda",
  model: "ST4000",
  serial: "Z300",
  bay: "bay 3",
  judgement: {
    verdict: "failing",
    since: 1_795_000_000,
    findings: [
      {
        code: "pending-many",
        grade: "failing",
        reason: "144 sectors cannot be read at present",
        advice: "Replace the disk soon.",
        since: 1_795_000_000,
        seen: 1_795_000_000,
      },
    ],
  },
  power: "awake",
  idleSeconds: 3,
  smart: smartVectorFacts("documented-ata-failing"),
  toldAt: Math.floor(Date.now() / 1000) - 60,
};

async function stage() {
  const world = new TestWorld();
  const daemon = await FakeDaemon.start(world.path("sock"));
  daemon.disks = { disks: [disk], watching: true, problems: [] };
  daemon.health = { sda: told };
  const run = (...words: readonly string[]) => world.run("disk", ...words, "--socket", "sock");
  return { daemon, run, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}

test("the health of a disk is verdict, reason and advice, then what the disk tells", async () => {
  await using its = await stage();
  const { code, text } = await its.run("smart", "Z300");
  expect(code).toBe(0);
  for (const words of [
    ...["place               bay 3", "verdict             failing", "144 sectors cannot be read"],
    ...["Replace the disk soon.", "Reallocated_Sector_Ct", "Completed: read failure"],
    ...["temperature         42 °C", "replaced sectors    3896", "own judgement       failed"],
  ]) {
    expect(text).toContain(words);
  }
});

test("programs get all of it", async () => {
  await using its = await stage();
  const { text } = await its.run("smart", "sda", "--json");
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(told)));
});

test("a disk that never told anything says why", async () => {
  await using its = await stage();
  const nothing = { verdict: "ok", since: 1_795_000_000, findings: [] } as const;
  its.daemon.health = {
    sda: { disk: "sda", judgement: nothing, power: "asleep", idleSeconds: 9, problem: "no way" },
  };
  expect((await its.run("smart", "sda")).text).toMatch(
    /sleeps +yes, and is not woken\ntold +never\ndoes not tell +no way/,
  );
});

test("a self-test is begun before the disk is shown", async () => {
  await using its = await stage();
  expect((await its.run("smart", "sda", "--test", "long")).code).toBe(0);
  expect(its.daemon.diskOrders).toEqual(["sda long"]);
  expect((await its.run("smart", "sda", "--test", "huge")).code).toBe(2);
});

test("a disk shows itself for as long as wanted", async () => {
  await using its = await stage();
  its.daemon.located = { disk: "sda", bay: "bay 3", by: ["enclosure", "reads"], seconds: 60 };
  expect((await its.run("locate", "sda", "--seconds", "60")).text).toBe(
    "sda (bay 3) has the LED of its slot on and blinks, three short and a pause, for 1 min\n",
  );
  its.daemon.located = undefined;
  expect((await its.run("locate", "sda", "--stop")).code).toBe(0);
  expect(its.daemon.diskOrders).toEqual(["sda 60", "sda 0"]);
  expect((await its.run("locate", "sda", "--seconds", "301")).code).toBe(2);
});

test("a disk that nobody knows is missing", async () => {
  await using its = await stage();
  expect((await its.run("smart", "sdz")).code).toBe(66);
});
