/** In which ways a disk is asked, and with which words. */
import { expect, test } from "vitest";
import { candidateTypes } from "#disks/smart/device-types.ts";
import {
  isSmartDeviceType,
  smartctlArguments,
  smartDeviceTypes,
} from "#disks/smart/smartctl-arguments.ts";

test("a USB bridge is asked as smartctl knows it, by the standard, and by its own maker's invention only", () => {
  expect(candidateTypes("usb", { vendorId: "152D" })).toEqual([
    ...["auto", "sat", "sat,12", "usbjmicron", "sntjmicron", "scsi"],
  ]);
  expect(candidateTypes("usb", { vendorId: "1058" })).toEqual(["auto", "sat", "sat,12", "scsi"]);
  expect(candidateTypes("usb", undefined)).toEqual(["auto", "sat", "sat,12", "scsi"]);
});

test("disks that have no health to tell are not asked", () => {
  const buses = ["virtio", "mmc", "loop", "virtual"] as const;
  expect(buses.flatMap((bus) => candidateTypes(bus, undefined))).toEqual([]);
});

test("reading respects sleep", () => {
  expect(smartctlArguments("/dev/sda", "sat,12", "read")).toEqual([
    ...["--json=c", "-d", "sat,12", "-n", "standby,3", "-a", "/dev/sda"],
  ]);
});

test("self-tests are begun and ended", () => {
  const last = (action: "short-test" | "long-test" | "abort") =>
    smartctlArguments("/dev/nvme0n1", "nvme", action).slice(3);
  expect(last("short-test")).toEqual(["-t", "short", "/dev/nvme0n1"]);
  expect(last("long-test")).toEqual(["-t", "long", "/dev/nvme0n1"]);
  expect(last("abort")).toEqual(["-X", "/dev/nvme0n1"]);
});

test("only types of the list are types", () => {
  expect(smartDeviceTypes.every(isSmartDeviceType)).toBe(true);
  expect(["", "sat,13", "megaraid,0", "test"].some(isSmartDeviceType)).toBe(false);
});
