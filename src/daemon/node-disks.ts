/** The disks of the machine as a part of a node: watched where the settings say so, else looked at when somebody asks. */
import { posix } from "node:path";
import type { Log } from "#base/log.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import type { Config } from "#config/schema.ts";
import { registerDisks } from "#daemon/disk-metrics.ts";
import { DiskInventory } from "#disks/disk-inventory.ts";
import type { Platform } from "#platform/platform.ts";

/** Undefined where the platform has no children, and so nobody to look. */
export function startInventory(
  platform: Pick<Platform, "children" | "clock" | "host">,
  config: Config,
  parts: { readonly log: Log; readonly metrics: MetricRegistry },
): DiskInventory | undefined {
  const { children, clock, host } = platform;
  if (children === undefined) return undefined;
  const { log, metrics } = parts;
  const inventory = new DiskInventory({
    ...{ children, clock, log },
    periodMs: config.disks.probePeriodMs,
    ownDirectories: [posix.resolve(host.workingDirectory, config.node.dataDir)],
  });
  let isFirst = true;
  inventory.subscribe(({ appeared, gone }) => {
    // Those that were there all the time are no news.
    if (isFirst) {
      isFirst = false;
      return;
    }
    for (const { name, model, serial } of appeared) {
      log.notice("disk-appeared", { disk: name, model, serial });
    }
    for (const { name, model, serial } of gone) {
      log.notice("disk-gone", { disk: name, model, serial });
    }
  });
  registerDisks(metrics, inventory);
  if (config.disks.manage) inventory.start();
  return inventory;
}
