/** A partition, or a disk without partitions, that is open and whose file system is known. */
import type { FoundSignature } from "#disks/guard/evidence.ts";
import { scanDevice } from "#disks/guard/signature-scan.ts";
import { isDiskName } from "#disks/helper-protocol.ts";
import { readSysfs } from "#disks/probe/sysfs.ts";
import { type DiskView, viewDisk } from "#helper/disk-view.ts";
import { helperError } from "#helper/errors.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import type { OpenBlockDevice } from "#platform/block-devices.ts";

export interface OpenPart {
  readonly name: string;
  /** `major:minor`. */
  readonly number: string;
  readonly device: OpenBlockDevice;
  readonly view: DiskView;
  readonly sizeBytes: number;
  /** Undefined where there is none that the scanner knows. */
  readonly fileSystem: FoundSignature | undefined;
}

/** Rejects with `device-missing`, `device-changed`, or `FileError`. */
export async function openPart(
  world: HelperWorld,
  wanted: { readonly device: string; readonly sequence: number },
): Promise<OpenPart> {
  const { device: name, sequence } = wanted;
  const device = await world.devices.open(`/dev/${name}`, "look");
  try {
    const view = viewDisk(world.system, diskOf(world, name));
    const part =
      view.disk.name === name ? view.disk : view.disk.partitions.find((each) => each.name === name);
    const number = `${device.major}:${device.minor}`;
    if (view.sequence !== sequence || part === undefined || part.deviceNumber !== number) {
      throw helperError(
        "device-changed",
        `${name} is on another disk by now, or was away in between: look at it again`,
      );
    }
    const { sizeBytes } = part;
    const { signatures } = await scanDevice(async (atBytes, length) => {
      const target = Buffer.alloc(length);
      return target.subarray(0, await device.read(target, atBytes));
    }, sizeBytes);
    const fileSystem = signatures.find(
      ({ usage, type }) => usage === "filesystem" && type !== "ext-copy",
    );
    return { name, number, device, view, sizeBytes, fileSystem };
  } catch (error) {
    await device.close();
    throw error;
  }
}

function diskOf(world: HelperWorld, name: string): string {
  if (isDiskName(name)) return name;
  const disk = readSysfs(world.system).find(({ partitions }) =>
    partitions.some((each) => each.name === name),
  );
  if (disk === undefined) throw helperError("device-missing", `there is no partition ${name} here`);
  return disk.name;
}
