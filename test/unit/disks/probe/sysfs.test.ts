import { expect, test } from "vitest";
import { portOf, readSysfs, temperatureOf, worldWideName } from "#disks/probe/sysfs.ts";
import { diskMachine } from "../../../support/disk-machines.ts";
import { MemorySystemFiles } from "../../../support/memory-system-files.ts";

test("partitions are told by number, with their place", () => {
  const card = readSysfs(diskMachine("sd-card")).find(({ name }) => name === "mmcblk0");
  expect(card?.partitions).toMatchObject([
    { name: "mmcblk0p1", number: 1, startBytes: 16_777_216, sizeBytes: 268_435_456 },
    { name: "mmcblk0p2", number: 2, label: "root_a" },
  ]);
});

test("the bridge is the nearest USB device above a disk", () => {
  expect(readSysfs(diskMachine("usb-same-serial")).map(({ usb }) => usb?.place)).toEqual([
    "2-1",
    "2-2",
  ]);
});

test("what is empty, hidden or no disk is left out", () => {
  const files = new MemorySystemFiles({
    files: {
      "/sys/block/sda/size": "0\n",
      "/sys/block/sdb/size": "100\n",
      "/sys/block/sdb/hidden": "1\n",
      "/sys/block/sdc/size": "nonsense\n",
      "/sys/block/zram0/size": "100\n",
      "/sys/block/sr0/size": "100\n",
      "/sys/block/mmcblk0boot0/size": "100\n",
      "/sys/block/sdd/size": "100\n",
    },
  });
  expect(readSysfs(files).map(({ name }) => name)).toEqual(["sdd"]);
});

test("a temperature is looked for only where asking wakes nothing", () => {
  const file = readSysfs(diskMachine("nvme")).map(({ temperatureFile }) => temperatureFile);
  expect(file).toEqual([undefined, "/sys/block/nvme0n1/device/hwmon1/temp1_input"]);
  expect(temperatureOf("38850\n")).toBe(39);
  expect(temperatureOf("-5000")).toBe(-5);
  expect([undefined, "", "hot", "999999"].map(temperatureOf)).toEqual([
    ...[undefined, undefined, undefined, undefined],
  ]);
});

test.each([
  ["naa.5000C500A1B2C3D4", "0x5000c500a1b2c3d4"],
  ["eui.0025385b11b0a1c3", "eui.0025385b11b0a1c3"],
  ["uuid.0f8fad5b-d9cb-469f-a165-70867728950e", "uuid.0f8fad5b-d9cb-469f-a165-70867728950e"],
  ["t10.ATA     WDC", undefined],
  ["eui.0000000000000000", undefined],
  ["naa.0", undefined],
  [undefined, undefined],
])("the name %s is %s", (text, name) => {
  expect(worldWideName(text)).toBe(name);
});

test.each([
  [
    "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1.4/2-1.4:1.0/host3/target3:0:0/3:0:0:1/block/sdb",
    "pci-0000:00:14.0-usb-0:1.4:1.0-scsi-0:0:0:1",
  ],
  [
    "/sys/devices/pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sda",
    "pci-0000:00:1f.2-ata-3",
  ],
  ["/sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda", "pci-0000:00:02.0"],
  ["/sys/devices/virtual/block/loop0", undefined],
])("%s hangs at %s", (path, port) => {
  expect(portOf(path)).toBe(port);
});
