/** One look at a machine of `test/vectors/disks/`, whose devices answer, or do not. */
import { expect, test } from "vitest";
import type { RoundRequest } from "#disks/probe/probe-messages.ts";
import { type PackageName, ProbeRounds } from "#disks/probe/probe-round.ts";
import { diskMachine, type MachineName } from "../../../support/disk-machines.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { ScriptedCommands } from "../../../support/scripted-commands.ts";
import { turns } from "../../../support/settled.ts";

const request: RoundRequest = { id: 5, avoidDisks: [], ownDirectories: [], lookInto: [] };
const space = { totalBytes: 1000, freeBytes: 10 };

function stage(name: MachineName) {
  const files = diskMachine(name);
  const clock = new ManualClock();
  const commands = new ScriptedCommands();
  const at: string[] = [];
  const late: string[] = [];
  const packages: PackageName[] = [];
  const answers = new Map<PackageName, string>();
  const rounds = new ProbeRounds({
    world: {
      ...{ files, clock, commands },
      askPackage: (each) => {
        packages.push(each);
        const text = answers.get(each);
        return text === undefined ? Promise.reject(new Error("hung")) : Promise.resolve(text);
      },
    },
    onDisk: (each) => at.push(each),
    onLate: (each) => late.push(each),
  });
  const take = async (fields: Partial<RoundRequest> = {}) => {
    const taken = rounds.take({ ...request, ...fields });
    for (let slices = 0; slices < 200; slices += 1) {
      await turns(2);
      clock.advance(25);
    }
    return await taken;
  };
  return { files, commands, at, late, packages, answers, take };
}

test("a round tells all disks, says where it is, and asks each mount once", async () => {
  const { files, at, take } = stage("sata");
  files.files.set(
    "/proc/self/mountinfo",
    "1 0 8:1 / /a rw - ext4 x rw\n2 0 8:1 / /b rw - ext4 x rw\n",
  );
  files.spaces.set("/a", space);
  const answer = await take();
  expect(answer).toMatchObject({ kind: "round", id: 5, avoided: [], silentMounts: {}, stuck: 0 });
  expect(at).toEqual(["sda"]);
  expect(files.asked).toEqual(["/a"]);
  const mounts = answer.disks[0]?.partitions[0]?.mounts;
  expect(mounts?.map(({ point, freeBytes }) => [point, freeBytes])).toEqual([
    ["/a", 10],
    ["/b", 10],
  ]);
});

test("a mount and a sensor that hang are told, and not asked again", async () => {
  const { files, take, packages } = stage("nvme");
  files.spaces.set("/", "hangs");
  files.spaces.set("/boot/efi", space);
  files.hanging.add("/sys/block/nvme0n1/device/hwmon1/temp1_input");
  const answer = await take();
  expect(Object.keys(answer.silentMounts)).toEqual(["/"]);
  expect(answer.stuck).toBe(2);
  expect(answer.tookMs).toBeLessThan(400);
  const second = await take();
  expect(files.asked.filter((point) => point === "/")).toHaveLength(1);
  expect(second.tookMs).toBe(0);
  const disk = second.disks.find(({ name }) => name === "nvme0n1");
  expect(disk?.problems).toEqual(["it does not tell its temperature"]);
  // Whoever runs df would hang, too.
  expect(packages).not.toContain("node-disk-info");
});

test("a temperature is read where that wakes nothing", async () => {
  const { take } = stage("nvme");
  const { disks } = await take();
  expect(disks.find(({ name }) => name === "nvme0n1")?.temperatureCelsius).toBe(39);
});

test("of a disk that is to be avoided nothing but its count is read", async () => {
  const { files, at, take } = stage("usb-same-serial");
  files.read.length = 0;
  const answer = await take({ avoidDisks: ["sdb#11"] });
  expect(answer.avoided).toEqual(["sdb#11"]);
  expect(answer.disks.map(({ name }) => name)).toEqual(["sdc"]);
  expect(at).toEqual(["sdc"]);
  expect(files.read.filter((path) => path.includes("/sdb/"))).toEqual(["/sys/block/sdb/diskseq"]);
});

test("a look that is late is waited for by who asked for it, and else told as news", async () => {
  const { commands, late, take } = stage("usb-same-serial");
  let end = (): void => {};
  commands.answer("lsblk", ({ parameters }) => {
    if (parameters.at(-1) !== "/dev/sdb") return {};
    return new Promise((resolve) => {
      end = () => resolve({ stdout: '{"blockdevices":[{"kname":"sdb","fstype":"zfs_member"}]}' });
    });
  });
  const answer = await take();
  expect(answer.tookMs).toBeLessThan(400);
  expect(answer.disks[0]?.problems).toEqual(["its first blocks are not read yet"]);
  const longer = await take({ lookInto: ["sdb"] });
  expect(longer.tookMs).toBeGreaterThan(2000);
  expect(late).toEqual([]);
  end();
  await turns();
  expect(late).toEqual(["sdb"]);
  const { disks } = await take();
  expect(disks[0]?.problems).toEqual([]);
  expect(disks[0]?.signatures[0]).toMatchObject({ type: "zfs_member", usage: "raid" });
});

test("packages are asked when something came, behind the round, and not in a storm", async () => {
  const { files, answers, packages, late, take } = stage("usb-ntfs-btrfs");
  files.remove("/run/udev/data");
  files.remove("/sys/devices/pci0000:00/0000:00:14.0/usb2/2-3/serial");
  answers.set("systeminformation", JSON.stringify([{ name: "sdd", serial: "REPORTED1" }]));
  answers.set("node-disk-info", JSON.stringify([{ blocks: 4, available: 2, mounted: "/srv/b" }]));
  await take();
  expect(packages).toEqual(["systeminformation", "node-disk-info"]);
  expect(late).toEqual(["systeminformation", "node-disk-info"]);
  const { disks } = await take();
  expect(disks[0]?.serial).toBe("REPORTED1");
  // statfs was refused there.
  expect(disks[0]?.partitions[1]?.mounts[0]?.freeBytes).toBe(2048);
  expect(packages).toHaveLength(2);
});

test("a package that fails leaves things unknown, and the round goes on", async () => {
  const { take, late } = stage("virtual-machine");
  expect((await take()).disks.length).toBeGreaterThan(0);
  expect(late).toEqual([]);
});
