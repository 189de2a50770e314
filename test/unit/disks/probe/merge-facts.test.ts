/** What becomes of the machines in `test/vectors/disks/`. */
import { expect, test } from "vitest";
import { parseLsblk } from "#disks/probe/lsblk.ts";
import { mergeFacts } from "#disks/probe/merge-facts.ts";
import { parseBlockDevices } from "#disks/probe/system-information.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { diskMachine, factsOf, sourcesOf } from "../../../support/disk-machines.ts";

function only(disks: readonly DiskFacts[], name: string): DiskFacts {
  const found = disks.find((disk) => disk.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

test("a SATA disk has its whole name, its own serial and what is on it", () => {
  const space = { totalBytes: 4_000_000_000_000, freeBytes: 1_000_000_000_000 };
  const [disk] = factsOf("sata", { spaces: [new Map([["/srv/photos", space]])] });
  expect(disk).toEqual({
    name: "sda",
    sequence: 9,
    bus: "sata",
    port: "pci-0000:00:1f.2-ata-3",
    bridge: undefined,
    vendor: undefined,
    model: "WDC WD40EFRX-68N32N0",
    serial: "WD-WCC7K1234567",
    wwn: "0x50014ee2b5c4d1e7",
    sizeBytes: 4_000_787_030_016,
    logicalSectorBytes: 512,
    physicalSectorBytes: 4096,
    rotational: true,
    removable: false,
    readOnly: false,
    temperatureCelsius: undefined,
    spinning: undefined,
    signatures: [
      {
        ...{ type: "gpt", usage: "partition-table", label: undefined },
        uuid: "5a0e9f5c-1111-4222-8333-444455556666",
      },
    ],
    partitions: [
      {
        ...{ name: "sda1", number: 1, startBytes: 1_048_576, sizeBytes: 4_000_785_964_544 },
        ...{ label: "store disk", uuid: "6f1d2c3b-0102-4304-8506-0708090a0b0c" },
        signatures: [
          {
            ...{ type: "ext4", usage: "filesystem", label: "photos ä" },
            uuid: "0b54a5e6-7a43-4c6e-9d5d-2f3a4b5c6d7e",
          },
        ],
        mounts: [
          {
            ...{ point: "/srv/photos", type: "ext4", readOnly: false, ...space },
            options: ["rw", "noatime", "rw", "errors=remount-ro"],
          },
        ],
        holders: [],
      },
    ],
    mounts: [],
    ofSystem: false,
    holders: [],
    firmware: "0A82",
    backingFile: undefined,
    problems: [],
  });
});

test("without udev the kernel's own words are taken, and lsblk's where they go on", () => {
  const files = diskMachine("sata");
  files.remove("/run/udev/data");
  const plain = only(mergeFacts(sourcesOf(files)), "sda");
  expect(plain).toMatchObject({ model: "WDC WD40EFRX-68N", serial: "WD-WCC7K1234567" });
  expect(plain).toMatchObject({ wwn: "0x50014ee2b5c4d1e7", signatures: [] });
  const children = [{ name: "sda1", fstype: "xfs", label: "l", uuid: "u", pttype: "gpt" }];
  const device = { name: "sda", model: "WDC WD40EFRX-68N32N0", pttype: "gpt", children };
  const printed = JSON.stringify({ blockdevices: [device] });
  const lsblk = new Map(parseLsblk(printed).map((each) => [each.name, each]));
  const disk = only(mergeFacts(sourcesOf(files, { lsblk })), "sda");
  expect(disk.model).toBe("WDC WD40EFRX-68N32N0");
  expect(disk.signatures.map(({ type }) => type)).toEqual(["gpt"]);
  expect(disk.partitions[0]?.signatures).toEqual([
    { type: "xfs", usage: "filesystem", label: "l", uuid: "u" },
  ]);
});

test("the package fills what nobody else knows, and nothing more", () => {
  const printed = JSON.stringify([
    { name: "sda", model: "Else", serial: "other" },
    { name: "loop0", fsType: "squashfs", label: "root" },
  ]);
  const reported = new Map(parseBlockDevices(printed).map((each) => [each.name, each]));
  expect(only(factsOf("sata", { reported }), "sda").serial).toBe("WD-WCC7K1234567");
  expect(only(factsOf("sd-card", { reported }), "loop0").signatures).toEqual([
    { type: "squashfs", usage: "filesystem", label: "root", uuid: undefined },
  ]);
});

test("an NVMe disk below the system's LVM is the system's, and so is its volume", () => {
  const temperatures = new Map([["nvme0n1", 39]]);
  const disks = factsOf("nvme", { temperatures });
  expect(only(disks, "nvme0n1")).toMatchObject({
    ...{ bus: "nvme", model: "Samsung SSD 980 PRO 1TB", serial: "S5GXNX0T123456" },
    ...{ wwn: "eui.0025385b11b0a1c3", firmware: "5B2QGXA7", port: "pci-0000:01:00.0-nvme-1" },
    ...{ rotational: false, temperatureCelsius: 39, ofSystem: true },
  });
  expect(only(disks, "nvme0n1").partitions.map(({ holders }) => holders)).toEqual([[], ["dm-0"]]);
  expect(only(disks, "dm-0")).toMatchObject({ bus: "virtual", ofSystem: true });
});

test("a card that holds the root in a file, under an overlay, is the system's", () => {
  const disks = factsOf("sd-card");
  expect(disks.map(({ name, ofSystem }) => [name, ofSystem])).toEqual([
    ["loop0", true],
    ["mmcblk0", true],
  ]);
  expect(only(disks, "mmcblk0")).toMatchObject({
    ...{ bus: "mmc", model: "SC32G", serial: "0x4f1b2c3d", port: "platform-fe330000.mmc" },
  });
  expect(only(disks, "loop0")).toMatchObject({
    ...{ bus: "loop", readOnly: true, backingFile: "/run/media/root.squashfs" },
  });
});

test("the disk that the node keeps its state on is the system's", () => {
  expect(only(factsOf("sata"), "sda").ofSystem).toBe(false);
  const ownDirectories = ["/srv/photos/cairn"];
  expect(only(factsOf("sata", { ownDirectories }), "sda").ofSystem).toBe(true);
});

test("a disk that is swapped to is the system's, and one with a file for that", () => {
  expect(only(factsOf("sata", { swaps: ["/dev/sda1"] }), "sda").ofSystem).toBe(true);
  expect(only(factsOf("sata", { swaps: ["/srv/photos/swap"] }), "sda").ofSystem).toBe(true);
  expect(only(factsOf("sata", { swaps: ["/dev/zram0"] }), "sda").ofSystem).toBe(false);
});

test("a bridge known to hide serials, or one that shares its serial, tells none", () => {
  for (const name of ["usb-same-serial", "usb-unknown-bridge"] as const) {
    const disks = factsOf(name);
    expect(disks.map(({ serial }) => serial)).toEqual([undefined, undefined]);
    expect(disks.map(({ bridge }) => bridge?.hidesSerial)).toEqual([true, true]);
    expect(new Set(disks.map(({ bridge }) => bridge?.serial)).size).toBe(1);
    expect(new Set(disks.map(({ port }) => port)).size).toBe(2);
  }
  expect(factsOf("usb-same-serial")[0]?.bridge?.name).toBe("JMicron JMS578");
  expect(factsOf("usb-unknown-bridge")[0]?.bridge?.name).toBe("JMicron USB to ATA/ATAPI Bridge");
});

test("one disk alone behind an unknown bridge keeps the serial that it tells", () => {
  const files = diskMachine("usb-unknown-bridge");
  files.remove("/sys/block/sdc");
  const [disk] = mergeFacts(sourcesOf(files));
  expect(disk).toMatchObject({ serial: "7A3B9912F0C4", bridge: { hidesSerial: false } });
});

test("where the disk behind a bridge answered itself, its serial counts", () => {
  expect(factsOf("usb-pass-through")[0]).toMatchObject({
    ...{ serial: "WSD0ABCD", model: "ST8000VN004-2M2101", wwn: "0x5000c500d1e2f3a4" },
    bridge: { hidesSerial: false, name: "JMicron JMS578" },
  });
});

test("mounts of NTFS and btrfs are found though their numbers are made up", () => {
  const [disk] = factsOf("usb-ntfs-btrfs");
  expect(disk?.partitions.map(({ mounts }) => mounts.map(({ point }) => point))).toEqual([
    ["/media/My Passport"],
    ["/srv/b"],
  ]);
  expect(disk).toMatchObject({ serial: "575834314131", bridge: { name: "Western Digital" } });
});

test("a virtual machine without udev is described, its disk being the system's", () => {
  const disks = factsOf("virtual-machine");
  expect(disks.map(({ name, bus, ofSystem }) => ({ name, bus, ofSystem }))).toEqual([
    { name: "loop0", bus: "loop", ofSystem: false },
    { name: "vda", bus: "virtio", ofSystem: true },
  ]);
});

test("what went wrong with a disk stands beside it", () => {
  const problems = new Map([["sda", ["it does not answer"]]]);
  expect(only(factsOf("sata", { problems }), "sda").problems).toEqual(["it does not answer"]);
});
