/** The machines of `test/vectors/disks/`, and what the probe makes of them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mergeFacts, type ProbeSources } from "#disks/probe/merge-facts.ts";
import { parseSwaps } from "#disks/probe/mounts.ts";
import { readSysfs } from "#disks/probe/sysfs.ts";
import { parseUdevData, udevDataPath } from "#disks/probe/udev.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { parseMounts } from "#platform/mount-table.ts";
import { type MachineFiles, MemorySystemFiles } from "./memory-system-files.ts";

export const machineNames = [
  ...["sata", "nvme", "sd-card", "virtual-machine"],
  ...["usb-same-serial", "usb-unknown-bridge", "usb-pass-through", "usb-ntfs-btrfs"],
] as const;

export type MachineName = (typeof machineNames)[number];

export function machineFiles(name: MachineName): MachineFiles {
  const path = fileURLToPath(new URL(`../vectors/disks/${name}.json`, import.meta.url));
  return JSON.parse(readFileSync(path, "utf8")) as MachineFiles;
}

export function diskMachine(name: MachineName): MemorySystemFiles {
  return new MemorySystemFiles(machineFiles(name));
}

/** Of the kernel and udev alone. */
export function sourcesOf(
  files: MemorySystemFiles,
  more: Partial<ProbeSources> = {},
): ProbeSources {
  const disks = readSysfs(files);
  const udev = disks
    .flatMap((disk) => [disk, ...disk.partitions])
    .flatMap(({ name, deviceNumber }) => {
      const text = files.readText(udevDataPath(deviceNumber));
      return text === undefined ? [] : [[name, parseUdevData(text)] as const];
    });
  return {
    disks,
    udev: new Map(udev),
    lsblk: new Map(),
    read: new Map(),
    reported: new Map(),
    mounts: parseMounts(files.readText("/proc/self/mountinfo") ?? ""),
    swaps: parseSwaps(files.readText("/proc/swaps") ?? ""),
    spaces: [],
    temperatures: new Map(),
    problems: new Map(),
    ownDirectories: [],
    ...more,
  };
}

export function factsOf(name: MachineName, more: Partial<ProbeSources> = {}): readonly DiskFacts[] {
  return mergeFacts(sourcesOf(diskMachine(name), more));
}
