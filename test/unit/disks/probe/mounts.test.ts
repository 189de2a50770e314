import { expect, test } from "vitest";
import { mountsByDevice, parseSwaps, systemDisks } from "#disks/probe/mounts.ts";
import { readSysfs } from "#disks/probe/sysfs.ts";
import { parseMounts } from "#platform/mount-table.ts";
import { diskMachine } from "../../../support/disk-machines.ts";

test("swaps are devices and files", () => {
  const text = [
    "Filename\tType\tSize\tUsed\tPriority",
    "/dev/sda2 partition 100 0 -2",
    "/swap\\040file file 100 0 -3",
    "nonsense",
  ];
  expect(parseSwaps(text.join("\n"))).toEqual(["/dev/sda2", "/swap file"]);
});

test("a device may be mounted several times", () => {
  const disks = readSysfs(diskMachine("sata"));
  const mounts = parseMounts("1 0 8:1 / /a rw - ext4 x rw\n2 0 8:1 / /b ro - ext4 x rw\n");
  expect(
    mountsByDevice(mounts, disks)
      .get("sda1")
      ?.map(({ point }) => point),
  ).toEqual(["/a", "/b"]);
});

test("an overlay over itself leads nowhere, and ends", () => {
  const disks = readSysfs(diskMachine("sata"));
  const mounts = parseMounts("1 0 0:9 / / rw - overlay overlay rw,lowerdir=/a:/b,upperdir=/c\n");
  expect(systemDisks({ mounts, disks, swaps: ["/x"], ownDirectories: ["/y"] })).toEqual(new Set());
});
