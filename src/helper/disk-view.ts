/**
 * A disk as the kernel has it at this moment: who uses it, in which ways, and which plugging it is. Whoever acts on a disk has it open
 * first: while it is open its name and number are not given to another one, so that what is read here is about the disk that is open.
 */
import { parseSwaps, systemDisks } from "#disks/probe/mounts.ts";
import { readSysfs, type SysfsDisk } from "#disks/probe/sysfs.ts";
import { helperError } from "#helper/errors.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import type { DeviceOpenMode, OpenBlockDevice } from "#platform/block-devices.ts";
import { type Mount, parseMounts } from "#platform/mount-table.ts";
import type { SystemFiles } from "#platform/system-files.ts";

export interface DiskView {
  readonly disk: SysfsDisk;
  readonly sequence: number;
  /** Mount points of it, its partitions, and what lies on them. */
  readonly mounts: readonly string[];
  readonly holders: readonly string[];
  readonly swaps: readonly string[];
  readonly system: readonly string[];
  /** Written and discarded since it came. */
  readonly changedSectors: number;
  readonly unknown: readonly string[];
}

/** `name` of a whole disk. Throws `device-missing`. */
export function viewDisk(system: SystemFiles, name: string): DiskView {
  const disks = readSysfs(system);
  const disk = disks.find((each) => each.name === name);
  if (disk === undefined) {
    throw helperError("device-missing", `there is no disk ${name} here, or it has no medium`);
  }
  const unknown: string[] = [];
  const need = (path: string): string => {
    const text = system.readText(path);
    if (text === undefined) unknown.push(`${path} cannot be read`);
    return text ?? "";
  };
  const mounts = parseMounts(need("/proc/self/mountinfo"));
  if (mounts.length === 0) unknown.push("there are no mounts in /proc/self/mountinfo");
  if (disk.sequence === undefined) unknown.push("the kernel does not number its disks (diskseq)");
  // A kernel that cannot swap has no such file.
  const swaps = parseSwaps(system.readText("/proc/swaps") ?? "");
  const names = namesAbove(disk, disks);
  const changed = changedSectors(need(`/sys/block/${name}/stat`));
  if (changed === undefined) unknown.push("the kernel does not count what is written to it");
  const own = new Set(names.map((each) => `/dev/${each}`));
  const numbers = new Set(
    disks
      .flatMap((each) => [each, ...each.partitions])
      .filter((each) => names.includes(each.name))
      .map(({ deviceNumber }) => deviceNumber),
  );
  const mountsHere = mounts.filter(
    ({ deviceNumber, source }) => numbers.has(deviceNumber) || own.has(source),
  );
  return {
    disk,
    sequence: disk.sequence ?? 0,
    mounts: [...new Set(mountsHere.map(({ point }) => point))],
    holders: names.filter((each) => each !== name && !isPartOf(disk, each)),
    swaps: swaps.filter((path) => own.has(path)),
    system: systemWords(system, { mounts, disks, swaps, disk, names }),
    changedSectors: changed ?? -1,
    unknown,
  };
}

function isPartOf(disk: SysfsDisk, name: string): boolean {
  return disk.partitions.some((each) => each.name === name);
}

/** The disk, its partitions, and whatever is made of them: RAID, LVM, encryption, loop devices, and their partitions. */
function namesAbove(disk: SysfsDisk, disks: readonly SysfsDisk[]): readonly string[] {
  const names = new Set<string>();
  const add = (each: SysfsDisk): void => {
    if (names.has(each.name)) return;
    const own = [each.name, ...each.partitions.map(({ name }) => name)];
    for (const name of own) names.add(name);
    for (const holder of [...each.holders, ...each.partitions.flatMap(({ holders }) => holders)]) {
      names.add(holder);
    }
    for (const other of disks) {
      const isMadeOfIt = other.slaves.some((slave) => names.has(slave));
      // A loop device over a device claims nothing and is nobody's slave.
      const backing = /^\/dev\/([^/]+)$/.exec(other.backingFile ?? "")?.[1];
      if (isMadeOfIt || (backing !== undefined && own.includes(backing))) add(other);
    }
  };
  add(disk);
  return [...names];
}

interface SystemQuestion {
  readonly mounts: readonly Mount[];
  readonly disks: readonly SysfsDisk[];
  readonly swaps: readonly string[];
  readonly disk: SysfsDisk;
  readonly names: readonly string[];
}

function systemWords(system: SystemFiles, question: SystemQuestion): readonly string[] {
  const { mounts, disks, swaps, disk, names } = question;
  const words: string[] = [];
  if (systemDisks({ mounts, disks, swaps, ownDirectories: [] }).has(disk.name)) {
    words.push("a part of the running system lies on it");
  }
  const root = / root=(\S+)/.exec(` ${system.readText("/proc/cmdline") ?? ""}`)?.[1] ?? "";
  const partUuid = /^PARTUUID=([0-9a-f-]+)/i.exec(root)?.[1]?.toLowerCase();
  const isRoot =
    names.some((name) => root === `/dev/${name}`) ||
    (partUuid !== undefined &&
      disk.partitions.some(({ uuid }) => uuid?.toLowerCase() === partUuid));
  if (isRoot) words.push(`the system was started from it (root=${root})`);
  return words;
}

/** Of `/sys/block/…/stat`: sectors written, and discarded since 4.19. */
function changedSectors(text: string): number | undefined {
  const numbers = text.trim().split(/\s+/).map(Number);
  const written = numbers[6];
  const discarded = numbers[13] ?? 0;
  if (written === undefined || !Number.isSafeInteger(written + discarded)) return undefined;
  return written + discarded;
}

/** An open disk that was looked at while it was open. */
export interface OpenDisk {
  readonly device: OpenBlockDevice;
  readonly view: DiskView;
}

/** `sequence` undefined takes whichever plugging it is. Rejects with `device-missing`, `device-changed`, or `FileError` (EBUSY: claimed). */
export async function openDisk(
  world: HelperWorld,
  wanted: { readonly disk: string; readonly sequence: number | undefined },
  mode: DeviceOpenMode,
): Promise<OpenDisk> {
  const device = await world.devices.open(`/dev/${wanted.disk}`, mode);
  try {
    const view = viewDisk(world.system, wanted.disk);
    const number = `${device.major}:${device.minor}`;
    const isOther = wanted.sequence !== undefined && wanted.sequence !== view.sequence;
    if (isOther || view.disk.deviceNumber !== number) {
      throw helperError(
        "device-changed",
        `${wanted.disk} is another disk by now, or was away in between: look at it again`,
      );
    }
    return { device, view };
  } catch (error) {
    await device.close();
    throw error;
  }
}
