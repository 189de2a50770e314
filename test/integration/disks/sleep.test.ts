/**
 * What wakes a disk and what does not. Goal: the questions that the node asks all the time (how much room is there, what does the kernel count,
 * what is mounted) reach no disk. Method: file systems on loop devices, whose own counters show each request.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { DiskLocator } from "#disks/disk-locator.ts";
import { readBlockCounters, wasUsed } from "#disks/health/block-counters.ts";
import { takeHealthLook } from "#disks/health/health-look.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeCommands } from "#platform/node/node-commands.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import { nodeSystemFiles } from "#platform/node/node-system-files.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { LoopDevice, loopNeeds, run } from "../../support/loop-device.ts";
import { needs, program } from "../../support/needs.ts";

const kinds = [
  { type: "ext4", make: ["mkfs.ext4", "-q", "-F"], package: "e2fsprogs", mib: 64 },
  { type: "xfs", make: ["mkfs.xfs", "-q", "-f"], package: "xfsprogs", mib: 320 },
  { type: "btrfs", make: ["mkfs.btrfs", "-q", "-f"], package: "btrfs-progs", mib: 128 },
] as const;

/** Longer than the kernel keeps written pages, and than a journal waits. */
const settleMs = 8000;

function used(name: string) {
  const [counters] = readBlockCounters(nodeSystemFiles, [name]);
  if (counters === undefined) throw new Error(`${name} has no counters`);
  return counters;
}

for (const { type, make, package: apt, mib } of kinds) {
  const [mkfs, ...options] = make;
  needs(...loopNeeds, program(mkfs, { apt }))(
    `asking for the room on ${type}, and looking at health, wakes no disk`,
    async () => {
      using device = new LoopDevice(mib);
      run(mkfs, ...options, device.path);
      const point = join(device.folder, "mounted");
      mkdirSync(point);
      run("mount", "-o", "noatime", device.path, point);
      run("sync", "-f", point);
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      const before = used(device.name);
      for (let round = 0; round < 100; round += 1) await statfs(point);
      await takeHealthLook({ files: nodeSystemFiles, kernel: { take: async () => [] } });
      expect(wasUsed(before, used(device.name))).toBe(false);
      writeFileSync(join(point, "file"), "x");
      run("sync", "-f", point);
      expect(wasUsed(before, used(device.name))).toBe(true);
      run("umount", point);
    },
    60_000,
  );
}

needs(...loopNeeds, program("mkfs.ext4", { apt: "e2fsprogs" }))(
  "a disk blinks by reads that reach it each time, of a file where the device may not be read",
  async () => {
    using device = new LoopDevice(64);
    run("mkfs.ext4", "-q", "-F", device.path);
    const point = join(device.folder, "mounted");
    mkdirSync(point);
    run("mount", device.path, point);
    writeFileSync(join(point, "large"), Buffer.alloc(9 * 1024 * 1024, 7));
    // What the file system does by itself in its first minutes is not counted.
    run("mount", "-o", "remount,ro", point);
    const locator = new DiskLocator({
      ...{ clock: nodeClock, random: nodeRandom(), log: collectedLog().log },
      commands: nodeCommands(),
      directoriesOn: () => [point],
    });
    const before = used(device.name);
    // A name that no device has stands for one that may not be read.
    const disk = { name: "loop9999", sequence: 1, sizeBytes: 64 * 1024 * 1024 };
    expect((await locator.begin(disk, 2000)).by).toEqual(["reads"]);
    await new Promise((resolve) => setTimeout(resolve, 3500));
    const after = used(device.name);
    expect(after.reads - before.reads).toBeGreaterThan(4);
    expect(after.writes).toBe(before.writes);
    expect(locator.end("loop9999")).toBe(false);
    run("umount", point);
  },
  30_000,
);
