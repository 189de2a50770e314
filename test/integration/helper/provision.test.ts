/** Disks become Cairn's on real loop devices: only with a yes, in one go or after an interruption at any point, and back again. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { minimumDiskBytes } from "#disks/guard/may-write.ts";
import type { HelperClient } from "#disks/helper-client.ts";
import type { VerbInput } from "#disks/helper-protocol.ts";
import { parsePassport } from "#disks/passport.ts";
import type { BlockDevices, OpenBlockDevice } from "#platform/block-devices.ts";
import type { Commands } from "#platform/commands.ts";
import { nodeBlockDevices } from "#platform/node/node-block-devices.ts";
import { nodeCommands } from "#platform/node/node-commands.ts";
import { HelperStage, stageNode, stagePassport } from "../../support/helper-stage.ts";
import { attachLoop, LoopDevice, loopNeeds, run } from "../../support/loop-device.ts";
import { needs, program } from "../../support/needs.ts";

const MiB = 1024 * 1024;
const diskId = "c0ffee".padEnd(32, "0");
const limitMs = 120_000;
const provisioned = needs(
  ...loopNeeds,
  program("mkfs.ext4", { apt: "e2fsprogs" }),
  program("mkfs.xfs", { apt: "xfsprogs" }),
  program("mkfs.btrfs", { apt: "btrfs-progs" }),
);

type Request = VerbInput<"provision">;

function requestFor(disk: LoopDevice, change: Partial<Request> = {}): Request {
  return {
    ...{ disk: disk.name, sequence: disk.sequence, action: "begin" },
    plan: { diskId, fileSystem: "ext4" },
    passport: stagePassport(diskId),
    ...change,
  };
}

async function tokenOf(stage: HelperStage, disk: LoopDevice, client?: HelperClient) {
  const asked = client ?? stage.client;
  const { token } = await asked.ask("identify", { disk: disk.name }, { silenceMs: 20_000 });
  return token === undefined ? {} : { token };
}

/** For disks of loop devices, which tell neither model nor serial. */
function typedFor(sizeMiB: number) {
  return { model: "", serial: "", sizeBytes: sizeMiB * MiB };
}

async function readWhole(stage: HelperStage, disk: LoopDevice): Promise<void> {
  const { name, sequence } = disk;
  const read = await stage.ask("read", { disk: name, sequence, maxBytes: 1e15 });
  expect(read).toMatchObject({ done: true, blank: true });
}

provisioned(
  "a disk of zeros is accepted after it was read from begin to end, and becomes a disk of Cairn's",
  async () => {
    using disk = new LoopDevice(minimumDiskBytes / MiB);
    using stage = new HelperStage();
    const early = await tokenOf(stage, disk);
    await expect(stage.ask("provision", requestFor(disk, early))).rejects.toMatchObject({
      code: "write-refused",
      message: expect.stringContaining("not read"),
    });
    await readWhole(stage, disk);
    const token = await tokenOf(stage, disk);
    const { directory = "" } = await stage.ask("provision", requestFor(disk, token));
    expect(directory).toBe(join(stage.settings.mountDirectory, diskId));
    const passport = readFileSync(join(directory, ".cairn-disk/passport.json"), "utf8");
    expect(parsePassport(passport)).toMatchObject({ diskId, paths: [{ directory: "store/M00" }] });
    for (const path of ["", "store", "store/M00", ".cairn-disk/passport.copy.json"]) {
      expect(statSync(join(directory, path))).toMatchObject({ uid: 4321, gid: 4322 });
    }
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    const mount = mounts.find((line) => line.includes(diskId));
    expect(mount).toMatch(/rw,nosuid,nodev,noexec,noatime .* ext4 /);
    expect(run("sgdisk", "--verify", disk.path)).toContain("No problems found");
    const again = await stage.ask("identify", { disk: disk.name });
    expect(again.obstacles.map(({ code }) => code)).toContain("mounted");
    expect(again.token).toBeUndefined();
    await stage.ask("unmount", { diskId });
    expect(existsSync(directory)).toBe(false);
    const typed = typedFor(minimumDiskBytes / MiB - 1);
    const wrong = requestFor(disk, { ...(await tokenOf(stage, disk)), typed });
    await expect(stage.ask("provision", wrong)).rejects.toMatchObject({ code: "write-refused" });
  },
  limitMs,
);

provisioned(
  "a disk with something on it is accepted once model, serial and size are typed, on each file system",
  async () => {
    for (const fileSystem of ["xfs", "btrfs", "ext4"] as const) {
      using disk = new LoopDevice(600);
      using stage = new HelperStage();
      run("mkfs.ext4", "-q", "-F", "-L", "PHOTOS", disk.path);
      const found = await stage.ask("identify", { disk: disk.name });
      expect(found.signatures[0]).toMatchObject({ type: "ext4", label: "PHOTOS" });
      const request = requestFor(disk, {
        ...(await tokenOf(stage, disk)),
        plan: { diskId, fileSystem },
        typed: typedFor(600),
      });
      await stage.ask("provision", request);
      const { uuid, type } = findMount(disk);
      expect(type).toBe(fileSystem);
      await stage.ask("unmount", { diskId });
      const { signatures } = await stage.ask("identify", { disk: disk.name });
      expect(signatures.map(({ type }) => type).filter((each) => each === "ext4")).toHaveLength(
        fileSystem === "ext4" ? 1 : 0,
      );
      const device = `${disk.name}p1`;
      const { sequence } = disk;
      const look = await stage.ask("inspect", { device, sequence });
      expect(look).toMatchObject({ fileSystem: { uuid }, passports: [{}, {}], fastdfs: false });
      const mount = { device, sequence, uuid, diskId, nodeId: stageNode };
      const foreign = stage.ask("mount", { ...mount, nodeId: "0".repeat(16) });
      await expect(foreign).rejects.toMatchObject({ code: "passport-refused" });
      const { directory } = await stage.ask("mount", mount);
      expect(await stage.ask("mount", mount)).toEqual({ directory });
      expect(await stage.ask("eject", { disk: disk.name, sequence })).toEqual({ detached: false });
      expect(existsSync(directory)).toBe(false);
    }
  },
  limitMs,
);

function findMount(disk: LoopDevice): { uuid: string; type: string } {
  const value = (tag: string) =>
    run("blkid", "-p", "-o", "value", "-s", tag, `${disk.path}p1`).trim();
  return { uuid: value("UUID"), type: value("TYPE") };
}

/** Counts what is done to disks, and ends the helper instead of the step that it is told: nothing is done from then on. */
class Killer {
  done = 0;
  at: number;

  constructor(at: number) {
    this.at = at;
  }

  step(): void {
    this.done += 1;
    if (this.done > this.at) throw new Error("killed");
  }

  readonly devices: BlockDevices = {
    open: async (path, mode) => {
      const device = await nodeBlockDevices.open(path, mode);
      const watched: OpenBlockDevice = {
        ...{ major: device.major, minor: device.minor },
        read: (target, position) => device.read(target, position),
        write: async (bytes, position) => {
          this.step();
          await device.write(bytes, position);
        },
        flush: async () => {
          this.step();
          await device.flush();
        },
        close: () => device.close(),
        [Symbol.asyncDispose]: () => device.close(),
      };
      return watched;
    },
  };

  readonly commands: Commands = {
    run: (program, parameters, options) => {
      const looks = ["lsblk", "blkid", "stat", "udevadm"].includes(program);
      if (!looks) this.step();
      return nodeCommands().run(program, parameters, options);
    },
  };
}

/**
 * Goal: a work that ends anywhere can go on, or be undone, without a second yes, and is never taken for one before it began; method: the
 * helper fails at its first, second, … write, flush or program, all that it had in memory is forgotten, and a new one takes over what is on
 * the disk, every other time after the disk was away.
 */
for (const action of ["continue", "undo"] as const) {
  provisioned(
    `interrupted at any point it can be ended by ${action}`,
    async () => {
      const outcomes = { ended: 0, never: 0 };
      for (let at = 0; ; at += at < 6 || at > 45 ? 1 : 9) {
        using disk = new LoopDevice(600);
        const killer = new Killer(at);
        using stage = new HelperStage({ devices: killer.devices, commands: killer.commands });
        run("mkfs.ext4", "-q", "-F", disk.path);
        const typed = typedFor(600);
        const request = requestFor(disk, { ...(await tokenOf(stage, disk)), typed });
        const refused = await stage.ask("provision", request).catch((error: unknown) => error);
        if (!(refused instanceof Error)) {
          expect(at).toBeGreaterThan(40);
          break;
        }
        killer.at = Number.POSITIVE_INFINITY;
        if (at % 2 === 1) disk.replug();
        await endInterrupted({ stage, disk, action, outcomes });
      }
      // Before its mark is on the disk a work has not begun.
      expect(outcomes.never).toBeLessThan(4);
      expect(outcomes.ended).toBeGreaterThan(8);
    },
    2 * limitMs,
  );
}

async function endInterrupted(parts: {
  readonly stage: HelperStage;
  readonly disk: LoopDevice;
  readonly action: "continue" | "undo";
  readonly outcomes: { ended: number; never: number };
}): Promise<void> {
  const { stage, disk, action, outcomes } = parts;
  const client = stage.connect();
  const ask = (request: Request) => client.ask("provision", request, { silenceMs: 60_000 });
  const found = await client.ask("identify", { disk: disk.name }, { silenceMs: 20_000 });
  if (found.unfinished === undefined) {
    outcomes.never += 1;
    await expect(ask(requestFor(disk, { action }))).rejects.toThrow();
    expect(found.signatures.map(({ type }) => type)).toContain("ext4");
    return;
  }
  outcomes.ended += 1;
  expect(found.unfinished).toEqual({ diskId, canContinue: true });
  const { directory } = await ask(requestFor(disk, { action }));
  if (action === "continue") {
    const path = join(directory ?? "", ".cairn-disk/passport.copy.json");
    expect(parsePassport(readFileSync(path, "utf8"))).toMatchObject({ diskId });
    expect(statSync(directory ?? "")).toMatchObject({ uid: 4321 });
    await client.ask("unmount", { diskId }, { silenceMs: 20_000 });
    return;
  }
  const { unfinished, signatures } = await client.ask(
    "identify",
    { disk: disk.name },
    { silenceMs: 20_000 },
  );
  expect({ unfinished, signatures }).toEqual({ unfinished: undefined, signatures: [] });
}

provisioned(
  "a work that was interrupted does not go on over what somebody put there since",
  async () => {
    using disk = new LoopDevice(600);
    const killer = new Killer(30);
    using stage = new HelperStage({ devices: killer.devices, commands: killer.commands });
    run("mkfs.ext4", "-q", "-F", disk.path);
    const request = requestFor(disk, { ...(await tokenOf(stage, disk)), typed: typedFor(600) });
    await expect(stage.ask("provision", request)).rejects.toThrow();
    killer.at = Number.POSITIVE_INFINITY;
    // Behind the table's header, which stays.
    run("sh", "-c", `printf hsqs | dd of=${disk.path} bs=1 seek=1048576 conv=notrunc status=none`);
    run("sh", "-c", `printf LABELONE | dd of=${disk.path} bs=1 seek=1536 conv=notrunc status=none`);
    const found = await stage.ask("identify", { disk: disk.name });
    expect(found.unfinished).toEqual({ diskId, canContinue: false });
    const before = disk.changedSectors();
    for (const action of ["continue", "undo"] as const) {
      const tried = stage.ask("provision", requestFor(disk, { action }));
      await expect(tried).rejects.toMatchObject({ code: "write-refused" });
    }
    expect(disk.changedSectors()).toBe(before);
  },
  limitMs,
);

provisioned(
  "a disk that was pulled and came back, or that somebody wrote to, is not the one that was agreed to",
  async () => {
    using disk = new LoopDevice(minimumDiskBytes / MiB);
    using stage = new HelperStage();
    await readWhole(stage, disk);
    const request = requestFor(disk, await tokenOf(stage, disk));
    disk.replug();
    await expect(stage.ask("provision", request)).rejects.toMatchObject({
      // Somebody else's loop device may have got the name.
      code: expect.stringMatching(/^device-(?:changed|missing)$/),
    });
    const { name, sequence } = disk;
    await expect(
      stage.ask("provision", { ...request, disk: name, sequence }),
    ).rejects.toMatchObject({
      code: "write-refused",
    });
    await readWhole(stage, disk);
    const fresh = requestFor(disk, await tokenOf(stage, disk));
    run("sh", "-c", `printf x | dd of=${disk.path} bs=1 seek=300000000 conv=notrunc status=none`);
    await expect(stage.ask("provision", fresh)).rejects.toMatchObject({
      code: "write-refused",
      message: expect.stringContaining("written to after"),
    });
    expect(existsSync(stage.settings.mountDirectory)).toBe(false);
  },
  limitMs,
);

provisioned(
  "a disk that somebody uses is refused: mounted, claimed, below a loop device, read-only",
  async () => {
    using disk = new LoopDevice(600);
    using stage = new HelperStage();
    run("mkfs.ext4", "-q", "-F", disk.path);
    const { token = "" } = await stage.ask("identify", { disk: disk.name });
    const place = join(disk.folder, "place");
    run("mkdir", place);
    run("mount", disk.path, place);
    const typed = typedFor(600);
    const tried = stage.ask("provision", requestFor(disk, { token, typed }));
    await expect(tried).rejects.toMatchObject({
      code: "write-refused",
      message: expect.stringContaining(`mounted at ${place}`),
    });
    await expect(
      stage.ask("eject", { disk: disk.name, sequence: disk.sequence }),
    ).rejects.toMatchObject({ code: "in-use" });
    run("umount", place);
    await using holder = await nodeBlockDevices.open(disk.path, "look-alone");
    expect(await obstacles(stage, disk)).toEqual(["in-use"]);
    await holder.close();
    const upper = attachLoop(disk.path);
    expect(await obstacles(stage, disk)).toEqual(["held"]);
    run("losetup", "--detach", upper);
    run("blockdev", "--setro", disk.path);
    expect(await obstacles(stage, disk)).toContain("read-only");
    run("blockdev", "--setrw", disk.path);
    expect(await obstacles(stage, disk)).toEqual([]);
  },
  limitMs,
);

async function obstacles(stage: HelperStage, disk: LoopDevice): Promise<readonly string[]> {
  const found = await stage.ask("identify", { disk: disk.name });
  return found.obstacles.map(({ code }) => code);
}

provisioned(
  "nothing is mounted where somebody else may have put a link",
  async () => {
    using disk = new LoopDevice(600);
    using stage = new HelperStage();
    const { mountDirectory } = stage.settings;
    await readWhole(stage, disk);
    const linked = join(stage.folder, "elsewhere");
    run("mkdir", linked, mountDirectory);
    run("ln", "-s", linked, join(mountDirectory, diskId));
    const request = requestFor(disk, await tokenOf(stage, disk));
    await expect(stage.ask("provision", request)).rejects.toMatchObject({ code: "place-refused" });
    run("rm", join(mountDirectory, diskId));
    run("chown", "4321", mountDirectory);
    const again = requestFor(disk, { action: "continue" });
    await expect(stage.ask("provision", again)).rejects.toMatchObject({ code: "place-refused" });
    run("chown", "0", mountDirectory);
    await expect(stage.ask("provision", again)).resolves.toMatchObject({});
  },
  limitMs,
);
