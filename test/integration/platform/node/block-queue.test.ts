/** What the kernel tells of a disk, from a tree made like `/sys`. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isRotational, splitDevice } from "#platform/node/block-queue.ts";

test("a device number has its two parts where Linux puts them", () => {
  expect(splitDevice(65_024)).toEqual({ major: 254, minor: 0 });
  expect(splitDevice(0x8_01)).toEqual({ major: 8, minor: 1 });
  expect(splitDevice(0x0010_0801)).toEqual({ major: 8, minor: 257 });
  expect(splitDevice(0x2b_04)).toEqual({ major: 43, minor: 4 });
});

test("disks and their partitions turn or not as their queue says; others do not tell", () => {
  const sys = mkdtempSync(join(tmpdir(), "cairn-sys-"));
  try {
    const devices = join(sys, "devices/pci/nvme0n1");
    mkdirSync(join(devices, "queue"), { recursive: true });
    mkdirSync(join(devices, "nvme0n1p2"));
    mkdirSync(join(sys, "devices/sda/queue"), { recursive: true });
    mkdirSync(join(sys, "devices/sda/sda1"), { recursive: true });
    mkdirSync(join(sys, "devices/virtual/odd/queue"), { recursive: true });
    writeFileSync(join(devices, "queue/rotational"), "0\n");
    writeFileSync(join(sys, "devices/sda/queue/rotational"), "1\n");
    writeFileSync(join(sys, "devices/virtual/odd/queue/rotational"), "maybe\n");
    mkdirSync(join(sys, "dev/block"), { recursive: true });
    const name = (number: string, target: string): void =>
      symlinkSync(`../../devices/${target}`, join(sys, "dev/block", number));
    name("259:0", "pci/nvme0n1");
    name("259:2", "pci/nvme0n1/nvme0n1p2");
    name("8:0", "sda");
    name("8:1", "sda/sda1");
    name("7:9", "virtual/odd");
    const asked = (major: number, minor: number): boolean | undefined =>
      isRotational(major * 256 + minor, sys);
    expect(asked(8, 0)).toBe(true);
    expect(asked(8, 1)).toBe(true);
    expect(isRotational(259 * 256, sys)).toBe(false);
    expect(isRotational(259 * 256 + 2, sys)).toBe(false);
    expect(asked(7, 9)).toBe(undefined);
    // File systems without a disk of their own, such as those in memory.
    expect(asked(0, 42)).toBe(undefined);
  } finally {
    rmSync(sys, { recursive: true, force: true });
  }
});
