import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { registerDisks } from "#daemon/disk-metrics.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { diskFacts } from "../../support/disk-facts.ts";

test("disks and looks are counted, and a disk that is gone is 0", () => {
  const registry = new MetricRegistry();
  const report = {
    ...{ lookedAtMs: 1, rounds: 3, failedRounds: 1, replaced: 2, roundMs: 250, mainThreadMs: 1 },
    problems: [],
  };
  let disks: readonly DiskFacts[] = [
    diskFacts({ sizeBytes: 1000, temperatureCelsius: 40, problems: ["hangs"] }),
    diskFacts({ name: "sdb", sizeBytes: 2000 }),
  ];
  const inventory = {
    report,
    get disks() {
      return disks;
    },
  };
  registerDisks(registry, inventory);
  const first = registry.render("openmetrics");
  for (const line of [
    'disk_size_bytes{disk="sda"} 1000',
    'disk_temperature_celsius{disk="sda"} 40',
    'disk_temperature_celsius{disk="sdb"} NaN',
    'disk_problems{disk="sda"} 1',
    'disk_probe_rounds_total{outcome="done"} 3',
    'disk_probe_rounds_total{outcome="failed"} 1',
    "disk_probe_replaced_total 2",
    "disk_probe_round_seconds 0.25",
  ]) {
    expect(first).toContain(line);
  }
  disks = [];
  const second = registry.render("openmetrics");
  expect(second).toContain('disk_size_bytes{disk="sda"} 0');
  expect(second).toContain('disk_probe_rounds_total{outcome="done"} 3');
});
