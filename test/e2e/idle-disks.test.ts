/**
 * Goal: what nobody asked for leaves disks at rest. Method: two whole nodes of a group, as processes that are root, each with a disk of its own on
 * a loop device and files on it; what they do by themselves is done each second (looks at the disks, their health and room, reports to the
 * tracker) or each minute (copies of the node's state). The kernel's own counters say what reaches the disks. Then files are compared, which
 * may read, and writes nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { verifyPeers } from "#control/operations/peers.ts";
import { status } from "#control/operations/system.ts";
import { controlOf } from "../support/disk-node.ts";
import { cairnOf } from "../support/disk-stage.ts";
import { statusOf } from "../support/live-node.ts";
import { LoopDevice, loopNeeds, run } from "../support/loop-device.ts";
import { needs, program } from "../support/needs.ts";
import { eventually, NodeGroup } from "../support/node-group.ts";

const sizeMiB = 1200;
const limitMs = 1_200_000;
const waitMs = 120_000;
/** Longer than what a node does each minute. */
const restMs = 65_000;
/** The kernel goes on for a while (journals, pages that were written, inode tables), and others may look at all disks of this machine once. */
const settleMs = 5_000;
const mostRests = 4;
/** The kernel may have given memory away in which it kept a directory: far fewer than the looks, one a second. */
const mostReads = 10;
const settings = [
  ...["disks.manage=true", "disks.mount_directory=./mnt", "storage.path=./store0"],
  ...["disks.probe_period=1s", "storage.disk_report_interval=1s", "storage.packing=on"],
];

/** Requests that reached a disk since it was plugged in, see the kernel's `Documentation/block/stat.rst`. */
function counted({ name }: LoopDevice) {
  const numbers = readFileSync(`/sys/block/${name}/stat`, "utf8").trim().split(/\s+/).map(Number);
  const [reads, , , , writes] = numbers;
  return { reads, writes, discards: numbers[11], flushes: numbers[15] };
}

needs(...loopNeeds, program("mkfs.ext4", { apt: "e2fsprogs" }))(
  "nothing is written to the disks of nodes at rest, nor do their looks read from them",
  async () => {
    using first = new LoopDevice(sizeMiB);
    using second = new LoopDevice(sizeMiB);
    const disks = [first, second];
    await using group = await NodeGroup.start({ count: 2, settings });
    const folder = (at: number): string => join(group.folder, String(at));
    const pathsOf = async (at: number) => {
      const { storePaths } = await controlOf(folder(at)).ask(status, {});
      return storePaths.map(({ index, state }) => `${index} ${state}`).join();
    };
    const comparisons = async (): Promise<number> =>
      (await controlOf(folder(0)).ask(status, {})).comparison?.rounds ?? 0;
    try {
      for (const [at, { name }] of disks.entries()) {
        const named = ["--size", String(sizeMiB * 1024 ** 2)];
        await cairnOf(folder(at), "disk", "add", name, ...named);
        await eventually(waitMs, async () => (await pathsOf(at)) === "0 online,1 online");
      }
      const [one, other] = [await group.caller(0), await group.caller(1)];
      for (let at = 0; at < 50; at += 1) {
        const name = await one.upload(Buffer.alloc(3000 * (1 + at), at), { path: 1 });
        await eventually(waitMs, async () => (await statusOf(other.info(name, 66))) === 0);
      }
      one.close();
      other.close();
      const written = () => disks.map(counted).map(({ reads, ...rest }) => rest);
      const stayFor = async (ms: number): Promise<boolean> => {
        const before = JSON.stringify(written());
        await new Promise((resolve) => setTimeout(resolve, ms));
        return JSON.stringify(written()) === before;
      };
      for (let rests = 1; ; rests += 1) {
        for (const at of [0, 1]) {
          const mounts = join(folder(at), "mnt");
          for (const name of readdirSync(mounts)) run("sync", "-f", join(mounts, name));
        }
        await eventually(waitMs, () => stayFor(settleMs));
        const [begun, readBefore] = [written(), disks.map(counted)];
        if (!(await stayFor(restMs)) && rests < mostRests) continue;
        expect(written()).toEqual(begun);
        for (const [at, disk] of disks.entries()) {
          const reads = (counted(disk).reads ?? 0) - (readBefore[at]?.reads ?? 0);
          expect(reads).toBeLessThan(mostReads);
        }
        break;
      }
      const [before, compared] = [written(), await comparisons()];
      await controlOf(folder(0)).ask(verifyPeers, {});
      await eventually(waitMs, async () => (await comparisons()) > compared);
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      expect(written()).toEqual(before);
    } finally {
      await group.end();
      for (const disk of disks) disk.unmount();
    }
  },
  limitMs,
);
