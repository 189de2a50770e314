import { expect, test } from "vitest";
import { UdevMonitorLines } from "#disks/udev-monitor.ts";

const printed = `monitor will print the received events for:
UDEV - the event which udev sends out after rule processing
KERNEL - the kernel uevent

KERNEL[103.27] add      /devices/pci0000:00/0000:00:14.0/usb2/2-1/host3/block/sdb (block)
ACTION=add
DEVNAME=/dev/sdb
DISKSEQ=12

UDEV  [103.91] add      /devices/pci0000:00/block/sdb/sdb1 (block)
DEVLINKS=/dev/disk/by-id/usb-DEVNAME=/dev/no
DEVNAME=/dev/sdb1
DEVNAME=/dev/../etc/passwd

`;

test("the names of devices are told, however the text is cut", () => {
  for (const size of [1, 7, 64, 10_000]) {
    const names: string[] = [];
    const lines = new UdevMonitorLines((name) => names.push(name));
    const bytes = Buffer.from(printed);
    for (let at = 0; at < bytes.length; at += size) lines.push(bytes.subarray(at, at + size));
    expect(names).toEqual(["sdb", "sdb1"]);
  }
});

test("a line without end is not kept", () => {
  const names: string[] = [];
  const lines = new UdevMonitorLines((name) => names.push(name));
  for (let count = 0; count < 100; count += 1) lines.push(Buffer.alloc(10_000, "x"));
  lines.push(Buffer.from("\nDEVNAME=/dev/sdc\n"));
  expect(names).toEqual(["sdc"]);
});
