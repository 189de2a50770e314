/** The health of disks as a part of a node: who is asked, and what of it others get to see. */
import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { type HealthyStorage, startDiskHealth } from "#daemon/node-disk-health.ts";
import type { DiskInventory } from "#disks/disk-inventory.ts";
import type { HealthLook } from "#disks/health/health-look.ts";
import type { CommandEnd } from "#platform/commands.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import type { Platform } from "#platform/platform.ts";
import { openStateDatabase } from "#state/state-database.ts";
import { defaultConfig } from "../../support/config.ts";
import { healthDisk } from "../../support/disk-health-stage.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { smartVector } from "../../support/smart-vectors.ts";

function stage(options: { readonly helper?: boolean; readonly pulled?: boolean } = {}) {
  const clock = new ManualClock();
  const { log } = collectedLog();
  const disks = [healthDisk("sda", { port: "pci-0000:01:00.0-ata-4" })];
  const asked: string[] = [];
  const looks = { count: 0 };
  const answers = { smart: "documented-ata-failing" };
  const inventory = {
    disks,
    look: async () => {
      looks.count += 1;
      return disks;
    },
    onHealth: (_: HealthLook) => {},
  };
  const path = { index: 0, directory: "/srv/sda/store", state: "online", problem: undefined };
  const counts = { readOnly: false, totalBytes: 1, freeBytes: 1, quarantines: 0, abandoned: 0 };
  const storage: HealthyStorage = {
    store: {
      paths:
        options.pulled === true
          ? [{ ...path, ...counts, state: "offline", isAbsent: true }]
          : [{ ...path, ...counts, state: "online" }],
      mayReadInBackground: () => true,
      latencyOf: () => undefined,
    },
    storage: { snapshot: () => ({ repair: { recoveries: [] } }) },
  };
  const commands = {
    run: async (program: string, parameters: readonly string[]): Promise<CommandEnd> => {
      asked.push([program, ...parameters].join(" "));
      return { ...smartVector(answers.smart), stderr: "" };
    },
  };
  const helper = {
    ask: async (verb: string, input: object) => {
      asked.push(`${verb} ${JSON.stringify(input)}`);
      const { code, stdout } = smartVector(answers.smart);
      return verb === "smart" ? { code, output: stdout } : { by: "enclosure" };
    },
  };
  const platform = {
    ...{ clock, commands, random: seededRandom(1) },
    host: { readText: () => "kobol,helios64\0rockchip,rk3399\0" },
  } as unknown as Platform;
  const health = startDiskHealth(platform, defaultConfig(), {
    ...{ log, metrics: new MetricRegistry(), storages: [storage] },
    inventory: inventory as unknown as DiskInventory,
    database: openStateDatabase(nodeDatabases(), ":memory:", log),
    ...(options.helper === true ? { helper: helper as never } : {}),
  });
  return { clock, health, inventory, asked, answers, storage, looks };
}

test("a disk is asked by smartctl as a child, and shown with verdict, reasons and temperature", async () => {
  const { health, asked, inventory } = stage();
  await health.health.refresh("sda");
  expect(asked).toEqual(["smartctl --json=c -d auto -n standby,3 -a /dev/sda"]);
  const [disk] = inventory.disks;
  if (disk === undefined) throw new Error("no disk");
  const notes = health.notesOf(disk);
  expect(notes).toMatchObject({ verdict: "failing", temperatureCelsius: 42 });
  expect(notes.reasons).toContain(
    "The disk itself expects to fail soon (SMART). Replace the disk soon: retire it first, so that its files move to other disks while it still serves.",
  );
  expect(health.bayOf(disk.port)).toBe("bay 4");
  expect(health.notesOf(healthDisk("sdz"))).toEqual({});
  health.stop();
});

test("without disks.manage the disks of store paths are looked at and asked now and then by themselves", async () => {
  const { clock, health, asked, looks, inventory } = stage();
  inventory.disks.push(healthDisk("sdb"));
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10_000) {
      clock.advance(10_000);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  };
  await pass(50_000);
  expect(looks.count).toBe(0);
  await pass(60_000);
  expect(looks.count).toBe(1);
  expect(asked).toEqual(["smartctl --json=c -d auto -n standby,3 -a /dev/sda"]);
  expect(health.health.reportOf("sda")?.judgement.verdict).toBe("failing");
  await pass(20 * 60_000);
  expect(looks.count).toBe(3);
  health.stop();
  await pass(20 * 60_000);
  expect(looks.count).toBe(3);
});

test("where there is a helper it asks the disk, and switches its LED", async () => {
  const { health, asked } = stage({ helper: true });
  await health.health.refresh("sda");
  expect(asked).toEqual(['smart {"disk":"sda","sequence":1,"type":"auto","action":"read"}']);
  const pointing = await health.locator.begin({ name: "sda", sequence: 1, sizeBytes: 1 }, 1000);
  expect(pointing.by).toContain("enclosure");
  health.stop();
});

test("background work leaves the store path of a sleeping disk alone until that was used", async () => {
  const { health, answers, inventory, storage } = stage();
  const zeros = { readMs: 0, writes: 0, writeMs: 0, flushes: 0, flushMs: 0, inFlight: 0 };
  const look = (reads: number): void =>
    inventory.onHealth({
      counters: [{ name: "sda", sequence: 1, reads, ...zeros, suspended: false }],
      ...{ mounts: [], faults: [], hearsKernel: true },
    });
  look(1);
  answers.smart = "documented-standby";
  await health.health.refresh("sda");
  expect(storage.store.mayReadInBackground(0)).toBe(false);
  const [disk] = inventory.disks;
  if (disk === undefined) throw new Error("no disk");
  expect(health.notesOf(disk)).toEqual({ verdict: "ok", reasons: [], spinning: false });
  look(2);
  expect(storage.store.mayReadInBackground(0)).toBe(true);
  expect(storage.store.mayReadInBackground(7)).toBe(true);
  health.stop();
});

test("where the disk of a store path was pulled, the one that its directory lies on is not blamed", () => {
  const { health, clock } = stage({ pulled: true });
  health.health.turn();
  clock.advance(3600_000);
  health.health.turn();
  expect(health.health.reportOf("sda")?.judgement.verdict).toBe("ok");
  health.stop();
});
