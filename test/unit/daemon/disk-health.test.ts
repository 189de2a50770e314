/** What operators and scrapers are told of the health of disks. */
import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { registerDiskHealth } from "#daemon/disk-health-metrics.ts";
import { diskHealthHandlers, type HealthOperationParts } from "#daemon/disk-health-operations.ts";
import { DiskHealthStage, healthDisk } from "../../support/disk-health-stage.ts";

const caller = { name: "test", access: "owner" } as const;

function stage() {
  const health = new DiskHealthStage(["sda"]);
  const pointed: string[] = [];
  const parts: HealthOperationParts = {
    health: health.health,
    locator: {
      begin: async ({ name }, durationMs) => {
        pointed.push(`${name} ${durationMs}`);
        return { by: ["reads"], seconds: durationMs / 1000 };
      },
      end: (name) => pointed.push(`${name} end`) > 0,
    },
    look: async () => health.disks,
    bayOf: () => "bay 3",
  };
  return { ...health, health, pointed, handlers: diskHealthHandlers(() => parts) };
}

test("whoever asks gets verdict, reasons and what the disk tells", async () => {
  const { handlers, health } = stage();
  health.answers.sda = "documented-ata-failing";
  const told = await handlers.readSmart({ disk: "sda" }, caller);
  expect(told).toMatchObject({
    disk: "sda",
    bay: "bay 3",
    judgement: { verdict: "failing" },
    power: "awake",
    smart: { reallocated: 3896 },
    toldAt: Math.floor(health.clock.nowMs() / 1000),
  });
});

test("a disk that is not there is an error, for each operation", async () => {
  const { handlers } = stage();
  const wrong = { code: "input-invalid" };
  await expect(handlers.readSmart({ disk: "sdz" }, caller)).rejects.toMatchObject(wrong);
  const test = { disk: "sdz", test: "short" } as const;
  await expect(handlers.selfTest(test, caller)).rejects.toMatchObject(wrong);
  await expect(handlers.locateDisk({ disk: "sdz" }, caller)).rejects.toMatchObject(wrong);
});

test("a self-test is begun, also on a disk that was never asked before", async () => {
  const { handlers, health } = stage();
  await handlers.selfTest({ disk: "sda", test: "long" }, caller);
  expect(health.asked).toEqual(["sda", "sda long-test"]);
});

test("a disk shows itself for half a minute, or as long as wanted, or not any more", async () => {
  const { handlers, pointed } = stage();
  expect(await handlers.locateDisk({ disk: "sda" }, caller)).toEqual({
    ...{ disk: "sda", bay: "bay 3", by: ["reads"], seconds: 30 },
  });
  await handlers.locateDisk({ disk: "sda", seconds: 5 }, caller);
  const ended = await handlers.locateDisk({ disk: "sda", seconds: 0 }, caller);
  expect(ended).toMatchObject({ by: [], seconds: 0 });
  expect(pointed).toEqual(["sda 30000", "sda 5000", "sda end"]);
});

test("a node without disks to look at says so", async () => {
  const handlers = diskHealthHandlers(() => undefined);
  await expect(handlers.readSmart({ disk: "sda" }, caller)).rejects.toThrow("looks at no disks");
});

test("each disk has its verdict and its counts as metrics, and none once it is gone", async () => {
  const { health } = stage();
  const registry = new MetricRegistry();
  registerDiskHealth(registry, health.health);
  health.answers.sda = "documented-ata-failing";
  health.disks.push(healthDisk("vda", { bus: "virtio" }));
  await health.pass(10_000);
  const lines = () => registry.render("openmetrics").split("\n");
  expect(lines()).toEqual(
    expect.arrayContaining([
      'disks_verdict{disk="sda"} 2',
      'disks_verdict{disk="vda"} 0',
      'disk_reallocated_sectors{disk="sda"} 3896',
      'disk_smart_temperature_celsius{disk="sda"} 42',
      'disk_reallocated_sectors{disk="vda"} NaN',
      'disk_asleep{disk="sda"} 0',
    ]),
  );
  health.disks = [];
  health.look();
  expect(lines()).toEqual(expect.arrayContaining(['disks_verdict{disk="sda"} NaN']));
});
