/**
 * Goal: a blank disk is known to be blank, and one that cannot be read is told to be so, by the time somebody gives it to the node. Method: a
 * whole node as a process that is root, loop devices; one of them has lost its end, so that the kernel's reads of that fail.
 */
import { statSync, truncateSync } from "node:fs";
import { expect } from "vitest";
import type { ShownDisk } from "#control/operations/disks.ts";
import { DiskStage } from "../support/disk-stage.ts";
import { LoopDevice, loopNeeds, run } from "../support/loop-device.ts";
import { needs, program } from "../support/needs.ts";

const sizeMiB = 600;
const lostBytes = 8 * 1024 * 1024;
const waitMs = 120_000;

needs(...loopNeeds, program("mkfs.ext4", { apt: "e2fsprogs" }))(
  "disks that look blank are read in the background, shown with how far, and given without more reading",
  async () => {
    using blank = new LoopDevice(sizeMiB);
    using worn = new LoopDevice(sizeMiB);
    using stage = new DiskStage();
    // Otherwise the kernel makes zeros of what the file does not hold.
    run("losetup", "--direct-io=on", worn.path);
    const wornBytes = statSync(worn.image).size;
    truncateSync(worn.image, wornBytes - lostBytes);
    const node = await stage.start("disks.blank_read_rate=200MiB");
    const shown = async ({ name }: LoopDevice): Promise<ShownDisk> =>
      JSON.parse(await stage.cairn("disk", "show", name, "--json"));
    const until = async (
      disk: LoopDevice,
      isSo: (reading: ShownDisk["blankReading"]) => boolean,
    ): Promise<ShownDisk["blankReading"]> => {
      const limit = performance.now() + waitMs;
      for (;;) {
        const { blankReading } = await shown(disk);
        if (isSo(blankReading)) return blankReading;
        if (performance.now() > limit) throw new Error(`it is ${JSON.stringify(blankReading)}`);
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    };
    const ended = (disk: LoopDevice) =>
      until(disk, (reading) => ["blank", "data", "unreadable"].includes(reading?.state ?? ""));
    try {
      expect((await ended(blank))?.state).toBe("blank");
      const found = await ended(worn);
      expect(found?.state).toBe("unreadable");
      expect(found?.readBytes).toBe(wornBytes - lostBytes);
      expect(await stage.cairn("disk", "show", blank.name)).toMatch(
        /blank +yes: every byte of it was read/,
      );
      expect(await stage.cairn("disk", "show", worn.name)).toMatch(
        /blank +cannot be known: the disk does not give what is at byte/,
      );
      const added = await stage.cairn("disk", "add", blank.name, "--yes");
      expect(added).toContain("is one of this node's");
      await until(blank, (reading) => reading === undefined);
      const refused = stage.cairn("disk", "add", worn.name, "--yes");
      await expect(refused).rejects.toMatchObject({
        stderr: expect.stringContaining("the disk does not give what is at byte"),
      });
    } finally {
      await node.stop();
    }
  },
  400_000,
);
