/** News as `udevadm monitor` prints them, from a device of the test's own. The kernel speaks also where udevd does not run. */
import { expect, onTestFinished } from "vitest";
import { Hotplug } from "#disks/hotplug.ts";
import { nodeChildren } from "#platform/node/node-children.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeSystemFiles } from "#platform/node/node-system-files.ts";
import { LoopDevice, loopNeeds } from "../../support/loop-device.ts";
import { needs, program } from "../../support/needs.ts";
import { until } from "../../support/settled.ts";

const monitored = needs(...loopNeeds, program("udevadm", { apt: "udev" }));

monitored("the monitor tells of a device that came and went", async () => {
  const told: string[] = [];
  const hotplug = new Hotplug({
    files: {
      ...nodeSystemFiles,
      // As if udevd ran, and as if the kernel counted nothing: all that is told is the monitor's.
      resolve: (path) => path,
      readText: () => "the same",
    },
    ...{ children: nodeChildren(), clock: nodeClock, onNews: (names) => told.push(...names) },
  });
  hotplug.start();
  onTestFinished(() => hotplug.stop());
  // The monitor listens a moment after its start.
  await expect
    .poll(
      () => {
        using disk = new LoopDevice(1);
        return told.includes(disk.name);
      },
      { timeout: 10_000, interval: 200 },
    )
    .toBe(true);
  await until(() => told.length > 0, "news");
  using disk = new LoopDevice(1);
  told.length = 0;
  disk.replug();
  await until(() => told.includes(disk.name), "it is told within a second", 1000);
});
