import { expect, test } from "vitest";
import { parseUdevData, udevDataPath, usageOf } from "#disks/probe/udev.ts";

test("properties are read, all else is udev's own business", () => {
  expect(udevDataPath("8:1")).toBe("/run/udev/data/b8:1");
  const text = [
    "S:disk/by-id/x",
    "E:ID_MODEL_ENC=A\\x20B\\x20\\x20",
    "E:ID_SERIAL_SHORT=S1",
    "E:ID_FS_TYPE=crypto_LUKS",
    "E:ID_FS_LABEL_ENC=\\xc3\\xbc=1",
    "ID_PATH=not a property",
    "E:=",
    "E:ID_REVISION",
  ];
  expect(parseUdevData(text.join("\n"))).toEqual({
    ...{ port: undefined, vendor: undefined, model: "A B", serial: "S1", serialOfDisk: true },
    ...{ wwn: undefined, firmware: undefined },
    signatures: [{ type: "crypto_LUKS", usage: "crypto", label: "ü=1", uuid: undefined }],
    ...{ partitionLabel: undefined, partitionUuid: undefined },
  });
});

test("a serial that came over USB is the bridge's, unless the disk was asked itself", () => {
  const usb = "E:ID_BUS=usb\nE:ID_SERIAL_SHORT=1";
  expect(parseUdevData(usb).serialOfDisk).toBe(false);
  expect(parseUdevData(`${usb}\nE:ID_ATA=1`).serialOfDisk).toBe(true);
});

test.each([
  ["ext4", "filesystem"],
  ["linux_raid_member", "raid"],
  ["isw_raid_member", "raid"],
  ["LVM2_member", "raid"],
  ["zfs_member", "raid"],
  ["crypto_LUKS", "crypto"],
  ["BitLocker", "crypto"],
  ["swap", "other"],
])("%s is a %s", (type, usage) => {
  expect(usageOf(type)).toBe(usage);
});
