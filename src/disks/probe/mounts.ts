/** Which devices are mounted where, and which of them the system runs from. Pure. */
import { probeLimits } from "#disks/probe/limits.ts";
import type { SysfsDisk } from "#disks/probe/sysfs.ts";
import { type Mount, mountOf, mountOption } from "#platform/mount-table.ts";

/** A device's own mounts, by its name in the kernel. */
export type MountsByDevice = ReadonlyMap<string, readonly Mount[]>;

/**
 * Mounts of block devices. Most carry their device's number; those of btrfs and of FUSE (NTFS, exFAT) a made-up one, and are
 * found by the name of what is mounted.
 */
export function mountsByDevice(
  mounts: readonly Mount[],
  disks: readonly SysfsDisk[],
): MountsByDevice {
  const byNumber = new Map<string, string>();
  const bySource = new Map<string, string>();
  for (const { name, deviceNumber } of disks.flatMap((disk) => [disk, ...disk.partitions])) {
    if (deviceNumber !== "") byNumber.set(deviceNumber, name);
    bySource.set(`/dev/${name}`, name);
  }
  const found = new Map<string, Mount[]>();
  for (const mount of mounts.slice(0, probeLimits.maxMounts)) {
    const name = byNumber.get(mount.deviceNumber) ?? bySource.get(mount.source);
    if (name === undefined) continue;
    const known = found.get(name) ?? [];
    known.push(mount);
    found.set(name, known);
  }
  return found;
}

/** What is in use for swapping, by `/proc/swaps`: devices and files. */
export function parseSwaps(text: string): readonly string[] {
  const paths = text.split("\n").map((line) => /^(\/\S+)\s+(?:partition|file)\s/.exec(line)?.[1]);
  return paths
    .filter((path) => path !== undefined)
    .map((path) => path.replace(/\\([0-7]{3})/g, (_, octal: string) => charOf(octal)));
}

function charOf(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

/** Without one of these the system, or this node, does not run. */
const systemPlaces =
  /^\/(?:|boot(?:\/.*)?|efi|usr|var|var\/lib|var\/log|etc|home|run\/initramfs\/.*)$/;
/** Layers that an overlay shows, with the lowest last. */
const layerOptions = ["lowerdir", "upperdir", "workdir"];

export interface SystemUse {
  readonly mounts: readonly Mount[];
  readonly disks: readonly SysfsDisk[];
  readonly swaps: readonly string[];
  /** Directories of the node's own state, absolute. */
  readonly ownDirectories: readonly string[];
}

/** Names of the disks (not of their partitions) that carry what the system, or the node, runs from; also through RAID, LVM and loop. */
export function systemDisks({ mounts, disks, swaps, ownDirectories }: SystemUse): Set<string> {
  const devices = mountsByDevice(mounts, disks);
  const ownerOf = new Map<string, string>();
  for (const disk of disks) {
    ownerOf.set(disk.name, disk.name);
    for (const { name } of disk.partitions) ownerOf.set(name, disk.name);
  }
  const found = new Set<string>();
  const byName = new Map(disks.map((disk) => [disk.name, disk]));
  const mark = (device: string): void => {
    const owner = ownerOf.get(device);
    if (owner === undefined || found.has(owner)) return;
    found.add(owner);
    const disk = byName.get(owner);
    for (const below of disk?.slaves ?? []) mark(below);
    if (disk?.backingFile !== undefined) markPath(disk.backingFile);
  };
  const markMount = (mount: Mount): void => {
    for (const [device, own] of devices) if (own.includes(mount)) mark(device);
    if (mount.type !== "overlay") return;
    for (const option of layerOptions) {
      for (const path of (mountOption(mount, option) ?? "").split(":")) {
        // An overlay below itself would lead round.
        if (path.startsWith("/") && mountOf(path, mounts) !== mount) markPath(path);
      }
    }
  };
  const visited = new Set<Mount>();
  const markPath = (path: string): void => {
    const mount = mountOf(path, mounts);
    if (mount === undefined || visited.has(mount)) return;
    visited.add(mount);
    markMount(mount);
  };
  for (const mount of mounts) if (systemPlaces.test(mount.point)) markMount(mount);
  for (const path of ownDirectories) markPath(path);
  for (const path of swaps) {
    const device = /^\/dev\/([^/]+)$/.exec(path)?.[1];
    if (device === undefined) markPath(path);
    else mark(device);
  }
  return found;
}
