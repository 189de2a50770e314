/**
 * The inventory over a real probe child and real disks: loop devices with file systems, partition tables and nothing. Devices of others may
 * come and go meanwhile; only the test's own are looked at.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { Log } from "#base/log.ts";
import { DiskInventory } from "#disks/disk-inventory.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { nodeChildren } from "#platform/node/node-children.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { LoopDevice, loopNeeds, run } from "../../support/loop-device.ts";
import { needs, program } from "../../support/needs.ts";
import { until } from "../../support/settled.ts";

const startLimitMs = 60_000;
const inventories: DiskInventory[] = [];

afterEach(() => {
  for (const inventory of inventories.splice(0)) inventory.stop();
});

function newInventory(ownDirectories: readonly string[] = []): DiskInventory {
  const inventory = new DiskInventory({
    ...{ children: nodeChildren(), clock: nodeClock, log: new Log("disks", () => {}) },
    ...{ periodMs: 60_000, ownDirectories },
  });
  inventories.push(inventory);
  return inventory;
}

function find(disks: readonly DiskFacts[], name: string): DiskFacts {
  const found = disks.find((disk) => disk.name === name);
  if (found === undefined) throw new Error(`no ${name} among ${disks.map((one) => one.name)}`);
  return found;
}

const diskTest = needs(
  ...loopNeeds,
  program("lsblk", { apt: "util-linux" }),
  program("mkfs.ext4", { apt: "e2fsprogs" }),
  program("mkfs.xfs", { apt: "xfsprogs" }),
  program("sfdisk", { apt: "fdisk" }),
);

diskTest(
  "what is on a disk is told: file systems, a table with parts, nothing",
  async () => {
    using plain = new LoopDevice(8);
    using ext4 = new LoopDevice(32);
    using xfs = new LoopDevice(320);
    using parted = new LoopDevice(64);
    run("mkfs.ext4", "-q", "-L", "photos", ext4.path);
    run("mkfs.xfs", "-q", xfs.path);
    run("sh", "-c", `printf 'label: gpt\\nsize=16MiB,name=one\\n,\\n' | sfdisk -q ${parted.path}`);
    run("partx", "--update", parted.path);
    const point = join(ext4.folder, "place");
    mkdirSync(point);
    run("mount", "-o", "ro", ext4.path, point);
    const inventory = newInventory([join(ext4.folder, "place/cairn")]);
    const disks = await inventory.look(["*"]);
    expect(find(disks, plain.name)).toMatchObject({
      ...{ bus: "loop", sizeBytes: 8 * 2 ** 20, signatures: [], partitions: [], mounts: [] },
      ...{ sequence: plain.sequence, backingFile: plain.image, ofSystem: false, problems: [] },
    });
    expect(find(disks, ext4.name)).toMatchObject({
      signatures: [{ type: "ext4", usage: "filesystem", label: "photos" }],
      mounts: [{ point, type: "ext4", readOnly: true }],
      ofSystem: true,
    });
    expect(find(disks, ext4.name).mounts[0]?.totalBytes).toBeGreaterThan(2 ** 24);
    expect(find(disks, xfs.name).signatures.map(({ type }) => type)).toEqual(["xfs"]);
    const { signatures, partitions } = find(disks, parted.name);
    expect(signatures.map(({ type, usage }) => [type, usage])).toEqual([
      ["gpt", "partition-table"],
    ]);
    expect(partitions.map(({ number, label, sizeBytes }) => [number, label, sizeBytes])).toEqual([
      [1, "one", 16 * 2 ** 20],
      [2, undefined, expect.any(Number)],
    ]);
    expect(inventory.isWatching).toBe(false);
  },
  startLimitMs,
);

diskTest(
  "what a program wrote to a disk is seen when somebody says so",
  async () => {
    using disk = new LoopDevice(32);
    const inventory = newInventory();
    await inventory.look();
    expect(find(await inventory.look(), disk.name).signatures).toEqual([]);
    run("mkfs.ext4", "-q", disk.path);
    const seen = async (): Promise<string | undefined> => {
      const disks = await inventory.look([disk.name]);
      return find(disks, disk.name).signatures[0]?.type;
    };
    await expect.poll(seen, { timeout: 10_000 }).toBe("ext4");
  },
  startLimitMs,
);

diskTest(
  "who comes and goes is told within a second, mounts too",
  async () => {
    const inventory = newInventory();
    inventory.start();
    await inventory.look();
    const told: string[] = [];
    inventory.subscribe(({ appeared, gone, changed }) => {
      for (const { backingFile } of appeared) told.push(`+${backingFile}`);
      for (const { backingFile } of gone) told.push(`-${backingFile}`);
      for (const { backingFile, mounts } of changed) told.push(`=${backingFile} ${mounts.length}`);
    });
    const took = new Map<string, number[]>();
    const wait = async (word: string, holds: () => boolean): Promise<void> => {
      const beginMs = performance.now();
      await until(holds, word, 10_000);
      took.set(word, [...(took.get(word) ?? []), performance.now() - beginMs]);
    };
    // The best of three: what others do on this machine at the same time is not the inventory's.
    for (let plugs = 0; plugs < 3; plugs += 1) {
      using disk = new LoopDevice(32);
      const { image, sequence } = disk;
      await wait("it appears", () => told.includes(`+${image}`));
      run("mkfs.ext4", "-q", disk.path);
      const point = join(disk.folder, "point");
      mkdirSync(point);
      run("mount", disk.path, point);
      await wait("it is mounted", () => told.includes(`=${image} 1`));
      run("umount", point);
      await wait("it is not mounted any more", () => told.includes(`=${image} 0`));
      disk.replug();
      await wait("it is gone", () => told.includes(`-${image}`));
      const again = inventory.disks.find(({ backingFile }) => backingFile === image);
      expect(again?.sequence).not.toBe(sequence);
    }
    for (const [word, times] of took) expect(Math.min(...times), word).toBeLessThan(1000);
  },
  startLimitMs,
);
