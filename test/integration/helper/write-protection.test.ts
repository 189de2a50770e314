/**
 * Goal: looking at a disk of somebody else's changes not a bit of it, also where its file system is damaged and the kernel would note so.
 * Method: loop devices with an ext4 that has an error in its root directory; the sum of the whole image before and after.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { HelperStage } from "../../support/helper-stage.ts";
import { LoopDevice, loopNeeds, run } from "../../support/loop-device.ts";
import { needs, program } from "../../support/needs.ts";

const limitMs = 60_000;
const withExt4 = needs(
  ...loopNeeds,
  program("mkfs.ext4", { apt: "e2fsprogs" }),
  program("debugfs", { apt: "e2fsprogs" }),
);

function sumOf(disk: LoopDevice): string {
  run("blockdev", "--flushbufs", disk.path);
  run("sync", disk.image);
  return createHash("sha256").update(readFileSync(disk.image)).digest("hex");
}

function isReadOnly(disk: LoopDevice): boolean {
  return readFileSync(`/sys/block/${disk.name}/ro`, "utf8").trim() === "1";
}

/** An ext4 whose first directory the kernel finds damaged as soon as somebody lists it. */
function damagedDisk(): LoopDevice {
  const disk = new LoopDevice(32);
  run("mkfs.ext4", "-q", "-F", "-O", "^metadata_csum", "-L", "old", disk.path);
  const point = join(disk.folder, "point");
  mkdirSync(point);
  run("mount", disk.path, point);
  for (const name of ["data/00/00", "data/sync"]) mkdirSync(join(point, name), { recursive: true });
  writeFileSync(join(point, "data/.data_init_flag"), "x");
  run("umount", point);
  const block = run("debugfs", "-R", "blocks /", disk.path).trim().split(/\s+/)[0] ?? "";
  // The length of a first entry that cannot be one.
  run("debugfs", "-w", "-R", `zap_block -o 4 -l 2 -p 0x03 ${block}`, disk.path);
  run("blockdev", "--flushbufs", disk.path);
  return disk;
}

withExt4(
  "a damaged disk that was looked into is bit for bit what it was, and can be written to again",
  async () => {
    using disk = damagedDisk();
    using stage = new HelperStage();
    const before = sumOf(disk);
    const { sequence, name } = disk;
    const found = await stage.ask("inspect", { device: name, sequence });
    expect(found.fileSystem).toMatchObject({ type: "ext4", label: "old" });
    expect(sumOf(disk)).toBe(before);
    expect(isReadOnly(disk)).toBe(false);
    // That the damage is one which the kernel would note: a person who mounts it so changes it.
    const point = join(disk.folder, "point");
    run("mount", "-o", "ro,noload", disk.path, point);
    readdirSync(point);
    run("umount", point);
    expect(sumOf(disk)).not.toBe(before);
  },
  limitMs,
);

withExt4(
  "a disk that was read-only before stays so, and one that is in use is left alone",
  async () => {
    using disk = new LoopDevice(32);
    run("mkfs.ext4", "-q", "-F", disk.path);
    mkdirSync(join(disk.folder, "point"));
    using stage = new HelperStage();
    const device = { device: disk.name, sequence: disk.sequence };
    run("blockdev", "--setro", disk.path);
    await stage.ask("inspect", device);
    expect(isReadOnly(disk)).toBe(true);
    run("blockdev", "--setrw", disk.path);
    const point = join(disk.folder, "point");
    run("mount", disk.path, point);
    await expect(stage.ask("inspect", device)).rejects.toMatchObject({ code: "in-use" });
    expect(isReadOnly(disk)).toBe(false);
    writeFileSync(join(point, "still"), "written");
    run("umount", point);
  },
  limitMs,
);

withExt4(
  "what a helper that was killed left mounted and read-only is put right by the next one",
  async () => {
    using disk = damagedDisk();
    using stage = new HelperStage();
    const { stateDirectory } = stage.settings;
    const look = join(stateDirectory, "look/0123456789abcdef");
    for (const path of [look, join(stateDirectory, "read-only")]) {
      mkdirSync(path, { recursive: true, mode: 0o755 });
    }
    const note = JSON.stringify({ device: disk.name, sequence: disk.sequence });
    writeFileSync(join(stateDirectory, "read-only", `${disk.name}.json`), note);
    run("blockdev", "--setro", disk.path);
    run("mount", "-o", "ro,noload", disk.path, look);
    using other = new LoopDevice(32);
    run("mkfs.ext4", "-q", "-F", other.path);
    await stage.ask("inspect", { device: other.name, sequence: other.sequence });
    expect(isReadOnly(disk)).toBe(false);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(look);
    expect(() => readFileSync(join(stateDirectory, "read-only", `${disk.name}.json`))).toThrow();
  },
  limitMs,
);
