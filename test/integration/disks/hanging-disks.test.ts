/**
 * Goal: a disk that hangs changes neither how long a round takes nor what it costs the main thread, and is named in words (issue 5, figures).
 * Method: eight loop devices. One carries NTFS, whose server is stopped: statfs of its mount hangs. Another one lies in a file of a FUSE
 * file system that holds reads: whoever reads the device hangs in the kernel. A child that hangs as a whole is stopped by a signal.
 */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { Log } from "#base/log.ts";
import { DiskInventory } from "#disks/disk-inventory.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import type { Child } from "#platform/children.ts";
import { nodeChildren } from "#platform/node/node-children.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { FuseMount, fuseNeeds } from "../../support/fuse/fuse-mount.ts";
import { attachLoop, LoopDevice, loopNeeds, run } from "../../support/loop-device.ts";
import { needs, program } from "../../support/needs.ts";
import { until } from "../../support/settled.ts";

const roundLimitMs = 1000;
const mainThreadLimitMs = 20;
const testLimitMs = 90_000;
const inventories: DiskInventory[] = [];

afterEach(() => {
  for (const inventory of inventories.splice(0)) inventory.stop();
});

function newInventory(events: string[], children = nodeChildren()): DiskInventory {
  const log = new Log("disks", ({ event, data }) => {
    events.push([event, ...Object.values(data)].join(" "));
  });
  const inventory = new DiskInventory({
    ...{ children, clock: nodeClock, log, periodMs: 60_000, ownDirectories: [] },
  });
  inventories.push(inventory);
  return inventory;
}

function find(disks: readonly DiskFacts[], name: string): DiskFacts {
  const found = disks.find((disk) => disk.name === name);
  if (found === undefined) throw new Error(`no ${name} among ${disks.map((one) => one.name)}`);
  return found;
}

/** The best of some: what others do on this machine at the same time is not the inventory's. */
async function expectFastRounds(inventory: DiskInventory): Promise<void> {
  const rounds: number[] = [];
  const mainThread: number[] = [];
  for (let count = 0; count < 5; count += 1) {
    await inventory.look();
    rounds.push(inventory.report.roundMs);
    mainThread.push(inventory.report.mainThreadMs);
  }
  expect(Math.min(...rounds)).toBeLessThan(roundLimitMs);
  expect(Math.min(...mainThread)).toBeLessThan(mainThreadLimitMs);
}

/** The server of an NTFS mount. */
function serverOf(device: string): number {
  const found = readdirSync("/proc").find((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      return words[0]?.includes("ntfs") === true && words.includes(device);
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
  if (found === undefined) throw new Error(`nobody serves ${device}`);
  return Number(found);
}

const hangTest = needs(
  ...loopNeeds,
  ...fuseNeeds,
  program("ntfs-3g", { apt: "ntfs-3g" }),
  program("mkfs.ntfs", { apt: "ntfs-3g" }),
  program("blkid", { apt: "util-linux" }),
);

hangTest(
  "a mount that hangs is named, waited for by nobody, and back when it answers",
  async () => {
    using disks = new DisposableStack();
    for (let count = 0; count < 7; count += 1) disks.use(new LoopDevice(8));
    const disk = disks.use(new LoopDevice(16));
    run("mkfs.ntfs", "-q", "-F", "-f", disk.path);
    const point = join(disk.folder, "point");
    run("mkdir", point);
    run("ntfs-3g", disk.path, point);
    const server = serverOf(disk.path);
    disks.defer(() => {
      process.kill(server, "SIGCONT");
    });
    const events: string[] = [];
    const inventory = newInventory(events);
    inventory.start();
    const before = find(await inventory.look(["*"]), disk.name);
    expect(before.mounts[0]).toMatchObject({ point, type: "fuseblk" });
    expect(before.mounts[0]?.totalBytes).toBeGreaterThan(0);
    process.kill(server, "SIGSTOP");
    await inventory.look();
    const words = `its file system at ${point} does not answer`;
    const problems = (): readonly string[] => find(inventory.disks, disk.name).problems;
    await until(() => problems().includes(words), "it is said to hang", 15_000);
    expect(find(inventory.disks, disk.name).mounts[0]?.totalBytes).toBeUndefined();
    expect(events).toContain(`mount-hangs ${point}`);
    await expectFastRounds(inventory);
    process.kill(server, "SIGCONT");
    await expect
      .poll(async () => find(await inventory.look(), disk.name).mounts[0]?.totalBytes, {
        timeout: 10_000,
      })
      .toBeGreaterThan(0);
    expect(problems()).toEqual([]);
    expect(events).toContain(`mount-answers ${point}`);
    expect(inventory.report.replaced).toBe(0);
  },
  testLimitMs,
);

hangTest(
  "a disk whose first blocks cannot be read holds up no round",
  async () => {
    using disks = new DisposableStack();
    for (let count = 0; count < 7; count += 1) disks.use(new LoopDevice(8));
    await using fuse = await FuseMount.start();
    const image = join(fuse.path, "image");
    writeFileSync(join(fuse.behind, "image"), "");
    truncateSync(join(fuse.behind, "image"), 8 * 2 ** 20);
    const device = attachLoop("--", image);
    expect(device).toMatch(/^\/dev\/loop\d+$/);
    await fuse.beforeUnmount("losetup", "--detach", device);
    const events: string[] = [];
    const inventory = newInventory(events);
    await inventory.look();
    const fault = await fuse.inject({ operations: ["read"], action: { kind: "hang" } });
    const name = device.replace("/dev/", "");
    const disk = find(await inventory.look([name]), name);
    expect(disk.problems).toEqual(["its first blocks are not read yet"]);
    expect(await fuse.hits(fault)).toBeGreaterThan(0);
    await expectFastRounds(inventory);
    expect(inventory.disks.length).toBeGreaterThanOrEqual(8);
    await fuse.clear();
    await expect
      .poll(async () => find(await inventory.look(), name).problems, { timeout: 10_000 })
      .toEqual([]);
  },
  testLimitMs,
);

hangTest(
  "a child that hangs as a whole is left behind, and another one looks",
  async () => {
    const started: Child[] = [];
    const children = nodeChildren();
    const events: string[] = [];
    const inventory = newInventory(events, {
      ...children,
      startSelf: (parameters) => {
        const child = children.startSelf(parameters);
        started.push(child);
        return child;
      },
    });
    expect((await inventory.look()).length).toBeGreaterThan(0);
    const [first] = started;
    process.kill(first?.processId ?? 0, "SIGSTOP");
    const known = inventory.disks;
    // It resolves with what is known at the deadline of the round.
    expect(await inventory.look()).toEqual(known);
    expect(inventory.report).toMatchObject({ failedRounds: 1, replaced: 1 });
    expect(inventory.report.problems[0]).toMatch(
      /^the disks are not looked at: the probe does not/,
    );
    expect((await inventory.look()).length).toBeGreaterThan(0);
    expect(started).toHaveLength(2);
    expect(inventory.report.failedRounds).toBe(1);
  },
  testLimitMs,
);
