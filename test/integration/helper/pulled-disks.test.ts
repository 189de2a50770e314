/**
 * Goal: a disk that was pulled while it was in use, or that the power left, is known again. Method: the image of a loop device is copied while
 * its file system is mounted, and is another loop device's from then on: what only its journal says has not been put into its place there.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { HelperStage, stageNode, stagePassport } from "../../support/helper-stage.ts";
import { LoopDevice, loopNeeds, run } from "../../support/loop-device.ts";
import { needs, program } from "../../support/needs.ts";

const sizeMiB = 600;
const diskId = "c0ffee".padEnd(32, "1");
const limitMs = 60_000;
const withExt4 = needs(...loopNeeds, program("mkfs.ext4", { apt: "e2fsprogs" }));

async function give(stage: HelperStage, disk: LoopDevice): Promise<string> {
  const { name, sequence } = disk;
  await stage.ask("read", { disk: name, sequence, maxBytes: 1e15 });
  const { token = "" } = await stage.ask("identify", { disk: name });
  const plan = { diskId, fileSystem: "ext4" } as const;
  const passport = stagePassport(diskId);
  const request = { disk: name, sequence, action: "begin", plan, passport, token } as const;
  const { directory = "" } = await stage.ask("provision", request);
  return directory;
}

/** As `disk` would be when it were pulled now. */
function pulled(disk: LoopDevice): LoopDevice {
  const other = new LoopDevice(sizeMiB);
  run("cp", "--sparse=always", disk.image, other.image);
  other.replug();
  run("partx", "--update", other.path);
  return other;
}

function partOf(disk: LoopDevice) {
  const uuid = run("blkid", "-p", "-o", "value", "-s", "UUID", `${disk.path}p1`).trim();
  return { device: `${disk.name}p1`, sequence: disk.sequence, uuid };
}

withExt4(
  "a disk that is pulled as soon as it was given shows its passport to who changes not a bit of it",
  async () => {
    using disk = new LoopDevice(sizeMiB);
    using stage = new HelperStage();
    await give(stage, disk);
    using other = pulled(disk);
    const { device, sequence } = partOf(other);
    const { passports } = await stage.ask("inspect", { device, sequence });
    expect(passports).toEqual([stagePassport(diskId), stagePassport(diskId)]);
  },
  limitMs,
);

withExt4(
  "a disk that has its passport in its journal alone is mounted as the disk that its file system was made for",
  async () => {
    using disk = new LoopDevice(sizeMiB);
    using stage = new HelperStage();
    const own = join(await give(stage, disk), ".cairn-disk");
    run("mv", own, `${own}.away`);
    await stage.ask("unmount", { diskId });
    const place = join(stage.folder, "place");
    mkdirSync(place);
    run("mount", `${disk.path}p1`, place);
    run("mv", join(place, ".cairn-disk.away"), join(place, ".cairn-disk"));
    run("sync", place);
    using other = pulled(disk);
    const part = partOf(other);
    const { device, sequence } = part;
    expect(await stage.ask("inspect", { device, sequence })).toMatchObject({ passports: [] });
    const strange = stage.ask("mount", { ...part, diskId, nodeId: "0".repeat(16) });
    await expect(strange).rejects.toMatchObject({ code: "passport-refused" });
    expect(existsSync(join(stage.settings.mountDirectory, diskId))).toBe(false);
    using again = pulled(disk);
    const wanted = { ...partOf(again), diskId, nodeId: stageNode };
    const named = stage.ask("mount", { ...wanted, diskId: "d".repeat(32) });
    await expect(named).rejects.toMatchObject({ code: "passport-refused" });
    const { directory } = await stage.ask("mount", wanted);
    const text = readFileSync(join(directory, ".cairn-disk/passport.json"), "utf8");
    expect(text).toBe(stagePassport(diskId));
  },
  limitMs,
);

/** Of the inode of a file, on the device. */
function inodeAt(disk: LoopDevice, path: string): number {
  const said = run("debugfs", "-R", `imap ${path}`, `${disk.path}p1`);
  const [, block, offset] = /block (\d+), offset (0x[0-9a-f]+)/.exec(said) ?? [];
  return Number(block) * 4096 + Number(offset);
}

withExt4(
  "a disk whose passport cannot be read is told to be one that carries such a passport",
  async () => {
    using disk = new LoopDevice(sizeMiB);
    using stage = new HelperStage();
    await give(stage, disk);
    await stage.ask("unmount", { diskId });
    const device = openSync(`${disk.path}p1`, "r+");
    for (const name of ["passport.json", "passport.copy.json"]) {
      writeSync(device, Buffer.of(0xff), 0, 1, inodeAt(disk, `/.cairn-disk/${name}`) + 8);
    }
    closeSync(device);
    run("blockdev", "--flushbufs", `${disk.path}p1`);
    const part = partOf(disk);
    const found = await stage.ask("inspect", { device: part.device, sequence: part.sequence });
    expect(found.passports).toEqual(["", ""]);
    const asked = stage.ask("mount", { ...part, diskId, nodeId: stageNode });
    await expect(asked).rejects.toMatchObject({ code: "passport-refused" });
    expect(existsSync(join(stage.settings.mountDirectory, diskId))).toBe(false);
  },
  limitMs,
);
