/**
 * Goal: a disk is plugged in, given with one command, and serves, without a restart; pulled by another one, it is nobody's; method: a whole
 * node as a process, which is root and starts its own helper, loop devices, and the command line.
 */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { DiskStage } from "../support/disk-stage.ts";
import { LoopDevice, loopNeeds, run } from "../support/loop-device.ts";
import { needs, program } from "../support/needs.ts";

const limitMs = 120_000;

needs(...loopNeeds, program("mkfs.ext4", { apt: "e2fsprogs" }))(
  "a disk that is given serves without a restart, and is let go of by another command",
  async () => {
    using disk = new LoopDevice(1200);
    using stage = new DiskStage();
    const node = await stage.start();
    try {
      const { name } = disk;
      run("mkfs.ext4", "-q", "-F", "-L", "PHOTOS", disk.path);
      const yes = stage.cairn("disk", "add", name, "--yes");
      await expect(yes).rejects.toMatchObject({ stderr: expect.stringContaining("not provably") });
      const wrong = stage.cairn("disk", "add", name, "--yes", "--size", "1");
      await expect(wrong).rejects.toMatchObject({
        stderr: expect.stringContaining("typed exactly as shown"),
      });
      const size = String(1200 * 1024 ** 2);
      const added = await stage.cairn("disk", "add", name, "--size", size);
      expect(added).toContain('a Linux file system (ext4) "PHOTOS"');
      expect(added).toContain("is one of this node's");
      const status = JSON.parse(await stage.cairn("status", "--json")) as {
        storePaths: readonly { index: number; state: string; directory: string }[];
      };
      expect(status.storePaths).toMatchObject([{ index: 0, state: "online" }]);
      expect(status.storePaths[0]?.directory).toMatch(/store\/M00$/);
      expect(status.storePaths[0]?.directory.startsWith(stage.mounts)).toBe(true);
      await expect(stage.cairn("disk", "add", name, "--size", size)).rejects.toMatchObject({
        stderr: expect.stringContaining("mounted"),
      });
      expect(await stage.cairn("disk", "eject", name)).toContain("can be pulled");
      expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(disk.path);
    } finally {
      await node.stop();
    }
  },
  limitMs,
);
