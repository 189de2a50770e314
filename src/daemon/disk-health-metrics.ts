/** Metrics of the health of disks. Labels are names of the kernel, which are few. */
import type { MetricRegistry } from "#base/metrics.ts";
import type { DiskHealth } from "#disks/health/disk-health.ts";
import { diskVerdicts } from "#model/disk-verdict.ts";
import type { SmartFacts } from "#model/smart-facts.ts";

const counts: readonly (readonly [name: string, help: string, of: keyof SmartFacts])[] = [
  ["disk_reallocated_sectors", "Sectors that the disk replaced by spare ones.", "reallocated"],
  ["disk_pending_sectors", "Sectors that the disk cannot read at present.", "pending"],
  [
    ...(["disk_uncorrectable_errors", "Errors that the disk could not correct."] as const),
    "uncorrectable",
  ],
  [
    "disk_offline_uncorrectable_sectors",
    "Sectors that the disk could not read when it looked through itself.",
    "offlineUncorrectable",
  ],
  ["disk_command_timeouts", "Commands that took the disk too long.", "timeouts"],
  ["disk_media_errors", "Errors on the medium that an NVMe or SAS disk counted.", "mediaErrors"],
  ["disk_wear_percent", "How much of the promised writing is used up.", "wearPercent"],
  ["disk_power_on_hours", "For how long the disk was on in its life.", "powerOnHours"],
  ["disk_smart_temperature_celsius", "Temperature as the disk told it last.", "temperatureCelsius"],
];

export function registerDiskHealth(
  registry: MetricRegistry,
  health: Pick<DiskHealth, "reports">,
): void {
  const labels = ["disk"] as const;
  const verdict = registry.gauge({
    name: "disks_verdict",
    help: "What the node thinks of a disk: 0 ok, 1 watch, 2 failing, 3 failed; NaN once it is gone.",
    labels,
  });
  const asleep = registry.gauge({
    name: "disk_asleep",
    help: "1 for a disk that is known to sleep.",
    labels,
  });
  const told = registry.gauge({
    name: "disk_smart_told_seconds",
    help: "When the disk told of its health last, in seconds since 1970; NaN where it never did.",
    unit: "seconds",
    labels,
  });
  const gauges = counts.map(([name, words, of]) => {
    const help = `${words} NaN where the disk does not tell.`;
    return { of, gauge: registry.gauge({ name, help, labels }) };
  });
  const seen = new Set<string>();
  registry.beforeRender(() => {
    const reports = new Map(health.reports().map((report) => [report.disk.name, report]));
    for (const name of reports.keys()) seen.add(name);
    for (const disk of seen) {
      const report = reports.get(disk);
      const rank = report && diskVerdicts.indexOf(report.judgement.verdict);
      verdict.with({ disk }).set(rank ?? Number.NaN);
      asleep.with({ disk }).set(report?.power === "asleep" ? 1 : 0);
      told.with({ disk }).set(report?.smart?.at ?? Number.NaN);
      for (const { of, gauge } of gauges) {
        const value = report?.smart?.facts[of];
        gauge.with({ disk }).set(typeof value === "number" ? value : Number.NaN);
      }
    }
  });
}
