/** Metrics of the disks of this machine and of looking at them. Labels are names of the kernel, which are few. */
import type { MetricRegistry } from "#base/metrics.ts";
import type { DiskInventory } from "#disks/disk-inventory.ts";

export function registerDisks(
  registry: MetricRegistry,
  inventory: Pick<DiskInventory, "disks" | "report">,
): void {
  const labels = ["disk"] as const;
  const size = registry.gauge({
    name: "disk_size_bytes",
    help: "Size of each disk of this machine; 0 once it is gone.",
    unit: "bytes",
    labels,
  });
  const temperature = registry.gauge({
    name: "disk_temperature_celsius",
    help: "Temperature of each disk that tells it without being woken; NaN of the others.",
    unit: "celsius",
    labels,
  });
  const problems = registry.gauge({
    name: "disk_problems",
    help: "What could not be found out of each disk, such as one that hangs.",
    labels,
  });
  const rounds = registry.counter({
    name: "disk_probe_rounds",
    help: "Looks at all disks, by how they ended.",
    labels: ["outcome"],
  });
  const replaced = registry.counter({
    name: "disk_probe_replaced",
    help: "Processes that looked at disks and were given up because something hung.",
  });
  const seconds = registry.gauge({
    name: "disk_probe_round_seconds",
    help: "How long the last look at all disks took.",
    unit: "seconds",
  });
  const gone = new Set<string>();
  registry.beforeRender(() => {
    const { report, disks } = inventory;
    for (const name of gone) {
      size.with({ disk: name }).set(0);
      temperature.with({ disk: name }).set(Number.NaN);
      problems.with({ disk: name }).set(0);
    }
    for (const { name, sizeBytes, temperatureCelsius, problems: own } of disks) {
      gone.add(name);
      size.with({ disk: name }).set(sizeBytes);
      temperature.with({ disk: name }).set(temperatureCelsius ?? Number.NaN);
      problems.with({ disk: name }).set(own.length);
    }
    raise(rounds.with({ outcome: "done" }), report.rounds);
    raise(rounds.with({ outcome: "failed" }), report.failedRounds);
    raise(replaced.with({}), report.replaced);
    seconds.with({}).set(report.roundMs / 1000);
  });
}

function raise(series: { add(amount: number): void; readonly value: number }, to: number): void {
  series.add(Math.max(0, to - series.value));
}
