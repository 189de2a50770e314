/**
 * Block devices as the kernel describes them below `/sys/block`. No attribute that is read here asks the device: all of them were
 * read when it came. Empty loop devices, card readers without a card, RAM disks and optical drives are left out.
 */
import { probeLimits } from "#disks/probe/limits.ts";
import { cleanWord, flagOf, wholeNumberOf } from "#disks/probe/words.ts";
import type { DiskBus } from "#model/disk-facts.ts";
import type { SystemFiles } from "#platform/system-files.ts";

export interface SysfsPartition {
  readonly name: string;
  /** `major:minor`. */
  readonly deviceNumber: string;
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  readonly label: string | undefined;
  readonly uuid: string | undefined;
  readonly holders: readonly string[];
}

/** The nearest USB device above a disk: its bridge, or the stick itself. */
export interface SysfsUsb {
  readonly vendorId: string;
  readonly productId: string;
  readonly manufacturer: string | undefined;
  readonly product: string | undefined;
  readonly serial: string | undefined;
  /** Where it is plugged in: `2-1.4`. Of two disks in one enclosure the same. */
  readonly place: string;
}

export interface SysfsDisk {
  readonly name: string;
  readonly deviceNumber: string;
  readonly sequence: number | undefined;
  readonly bus: DiskBus;
  readonly port: string | undefined;
  readonly usb: SysfsUsb | undefined;
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  readonly wwn: string | undefined;
  readonly firmware: string | undefined;
  readonly sizeBytes: number;
  readonly logicalSectorBytes: number;
  readonly physicalSectorBytes: number;
  readonly rotational: boolean | undefined;
  readonly removable: boolean;
  readonly readOnly: boolean;
  /** The kernel has sent it to sleep. */
  readonly suspended: boolean;
  /** Devices that it is made of: `sda2` of `md0`. */
  readonly slaves: readonly string[];
  readonly holders: readonly string[];
  readonly backingFile: string | undefined;
  /** The file of its temperature, which may ask the device. */
  readonly temperatureFile: string | undefined;
  readonly partitions: readonly SysfsPartition[];
}

export const sysfsBlock = "/sys/block";
const sectorBytes = 512;
/** Never a disk: RAM, compressed RAM, optical and floppy drives, the boot areas of a soldered card. */
const noDisk = /^(?:ram|zram|sr|fd)\d|^mmcblk\d+(?:boot\d|rpmb|gp\d)/;

/** `wants` is asked before anything but the count of a disk is read. */
export function readSysfs(
  files: SystemFiles,
  wants: (disk: Pick<SysfsDisk, "name" | "sequence">) => boolean = () => true,
): readonly SysfsDisk[] {
  const disks: SysfsDisk[] = [];
  for (const name of files.list(sysfsBlock)) {
    if (noDisk.test(name) || disks.length >= probeLimits.maxDisks) continue;
    const sequence = wholeNumberOf(files.readText(`${sysfsBlock}/${name}/diskseq`));
    if (!wants({ name, sequence })) continue;
    const disk = readDisk(files, name);
    if (disk !== undefined) disks.push(disk);
  }
  return disks;
}

function readDisk(files: SystemFiles, name: string): SysfsDisk | undefined {
  const base = `${sysfsBlock}/${name}`;
  const read = (path: string): string | undefined => cleanWord(files.readText(`${base}/${path}`));
  const sectors = wholeNumberOf(read("size")) ?? 0;
  if (sectors === 0 || read("hidden") === "1") return undefined;
  const path = files.resolve(base) ?? base;
  const bus = busOf(name, path);
  const logicalSectorBytes = wholeNumberOf(read("queue/logical_block_size")) ?? sectorBytes;
  return {
    name,
    deviceNumber: read("dev") ?? "",
    sequence: wholeNumberOf(read("diskseq")),
    bus,
    port: portOf(path),
    usb: bus === "usb" ? usbOf(files, path) : undefined,
    ...identityOf(files, { base, bus }),
    sizeBytes: sectors * sectorBytes,
    logicalSectorBytes,
    physicalSectorBytes: wholeNumberOf(read("queue/physical_block_size")) ?? logicalSectorBytes,
    rotational: flagOf(read("queue/rotational")),
    removable: flagOf(read("removable")) ?? false,
    readOnly: flagOf(read("ro")) ?? false,
    suspended: read("device/power/runtime_status") === "suspended",
    slaves: files.list(`${base}/slaves`),
    holders: files.list(`${base}/holders`),
    backingFile: bus === "loop" ? backingFileOf(files, base) : undefined,
    temperatureFile: temperatureFileOf(files, { base, bus }),
    partitions: partitionsOf(files, name),
  };
}

function busOf(name: string, path: string): DiskBus {
  if (/^nvme\d/.test(name)) return "nvme";
  if (/^mmcblk\d/.test(name)) return "mmc";
  if (/^loop\d/.test(name)) return "loop";
  if (path.includes("/devices/virtual/")) return "virtual";
  if (/\/usb\d+\//.test(path)) return "usb";
  if (/\/virtio\d+\//.test(path) && name.startsWith("vd")) return "virtio";
  if (/\/ata\d+\//.test(path)) return "sata";
  if (/^(?:dm-|md|nbd|zd|drbd)\d/.test(name)) return "virtual";
  return name.startsWith("sd") ? "scsi" : "unknown";
}

type Identity = Pick<SysfsDisk, "vendor" | "model" | "serial" | "wwn" | "firmware">;

function identityOf(
  files: SystemFiles,
  disk: { readonly base: string; readonly bus: DiskBus },
): Identity {
  const read = (path: string): string | undefined =>
    cleanWord(files.readText(`${disk.base}/${path}`));
  switch (disk.bus) {
    case "nvme":
      return {
        vendor: undefined,
        model: read("device/model"),
        serial: read("device/serial"),
        wwn: worldWideName(read("wwid")),
        firmware: read("device/firmware_rev"),
      };
    case "mmc":
      return {
        vendor: undefined,
        model: read("device/name"),
        serial: read("device/serial"),
        wwn: undefined,
        firmware: undefined,
      };
    case "virtio":
      return { ...nameless, serial: read("serial") };
    case "sata":
    case "usb":
    case "scsi": {
      const vendor = read("device/vendor");
      return {
        // What the kernel puts in front of every SATA disk.
        vendor: vendor === "ATA" ? undefined : vendor,
        model: read("device/model"),
        serial: unitSerial(files.readText(`${disk.base}/device/vpd_pg80`)),
        wwn: worldWideName(read("device/wwid")),
        firmware: read("device/rev"),
      };
    }
    default:
      return nameless;
  }
}

const nameless: Identity = {
  ...{
    vendor: undefined,
    model: undefined,
    serial: undefined,
    wwn: undefined,
    firmware: undefined,
  },
};

/** `naa.5000c500a1b2c3d4` is `0x5000c500a1b2c3d4`; `eui.…` stays. Names made of vendor and serial are none. */
export function worldWideName(text: string | undefined): string | undefined {
  const naa = /^naa\.([0-9a-f]{16}(?:[0-9a-f]{16})?)$/i.exec(text ?? "")?.[1];
  if (naa !== undefined) return `0x${naa.toLowerCase()}`;
  const other = /^(?:eui\.[0-9a-f]{16,32}|uuid\.[0-9a-f-]{32,36}|0x[0-9a-f]{16,32})$/i;
  const found = other.test(text ?? "") ? text?.toLowerCase() : undefined;
  return found !== undefined && /[1-9a-f]/.test(found.replace(/^(?:eui\.|uuid\.|0x)/, ""))
    ? found
    : undefined;
}

/** SCSI's page 0x80: four bytes, then the serial. */
function unitSerial(page: string | undefined): string | undefined {
  return page === undefined ? undefined : cleanWord(page.slice(4));
}

function usbOf(files: SystemFiles, path: string): SysfsUsb | undefined {
  const segments = path.split("/");
  for (let length = segments.length - 1; length > 3; length -= 1) {
    const above = segments.slice(0, length).join("/");
    const read = (name: string): string | undefined =>
      cleanWord(files.readText(`${above}/${name}`));
    const vendorId = read("idVendor")?.toLowerCase();
    const productId = read("idProduct")?.toLowerCase();
    if (vendorId === undefined || productId === undefined) continue;
    if (!/^[0-9a-f]{4}$/.test(vendorId) || !/^[0-9a-f]{4}$/.test(productId)) return undefined;
    return {
      vendorId,
      productId,
      manufacturer: read("manufacturer"),
      product: read("product"),
      serial: read("serial"),
      place: segments[length - 1] ?? "",
    };
  }
  return undefined;
}

/** As udev's `path_id` would have it, from the device's place in `/sys/devices`; where udev runs, its own words are taken. */
export function portOf(path: string): string | undefined {
  const parts: string[] = [];
  const pci = [...path.matchAll(/\/([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])(?=\/)/g)].at(-1);
  const platform = /\/platform\/(?:[^/]+\/)*?([0-9a-f]+\.[^/]+)(?=\/)/.exec(path);
  if (pci?.[1] !== undefined) parts.push(`pci-${pci[1]}`);
  else if (platform?.[1] !== undefined) parts.push(`platform-${platform[1]}`);
  const usb = [...path.matchAll(/\/\d+-([\d.]+):(\d+\.\d+)(?=\/)/g)].at(-1);
  if (usb !== undefined) parts.push(`usb-0:${usb[1]}:${usb[2]}`);
  const ata = /\/ata(\d+)\//.exec(path);
  if (ata !== null) parts.push(`ata-${ata[1]}`);
  const scsi = /\/\d+:(\d+:\d+:\d+)\/block\//.exec(path);
  if (scsi !== null && ata === null) parts.push(`scsi-0:${scsi[1]}`);
  const nvme = /\/nvme\d+n(\d+)$/.exec(path);
  if (nvme !== null && parts.length > 0) parts.push(`nvme-${nvme[1]}`);
  return parts.length === 0 ? undefined : parts.join("-");
}

function backingFileOf(files: SystemFiles, base: string): string | undefined {
  const text = files.readText(`${base}/loop/backing_file`)?.replace(/\n$/, "");
  return text === undefined || text === "" || text.length > probeLimits.maxPathCharacters
    ? undefined
    : text;
}

/** Only of what never sleeps: asking a spinning disk may keep it awake. */
function temperatureFileOf(
  files: SystemFiles,
  { base, bus }: { readonly base: string; readonly bus: DiskBus },
): string | undefined {
  if (bus !== "nvme") return undefined;
  for (const above of ["device", "device/hwmon", "device/device/hwmon"]) {
    const name = files.list(`${base}/${above}`).find((each) => /^hwmon\d+$/.test(each));
    if (name !== undefined) return `${base}/${above}/${name}/temp1_input`;
  }
  return undefined;
}

/** From thousandths of a degree; undefined where that cannot be one of a disk. */
export function temperatureOf(text: string | undefined): number | undefined {
  const digits = text?.trim() ?? "";
  if (!/^-?\d{1,6}$/.test(digits)) return undefined;
  const degrees = Math.round(Number(digits) / 1000);
  return degrees >= -40 && degrees <= 150 ? degrees : undefined;
}

function partitionsOf(files: SystemFiles, disk: string): readonly SysfsPartition[] {
  const base = `${sysfsBlock}/${disk}`;
  const found: SysfsPartition[] = [];
  for (const name of files.list(base)) {
    if (!name.startsWith(disk) || found.length >= probeLimits.maxPartitions) continue;
    const read = (path: string): string | undefined =>
      cleanWord(files.readText(`${base}/${name}/${path}`));
    const number = wholeNumberOf(read("partition"));
    if (number === undefined) continue;
    const uevent = files.readText(`${base}/${name}/uevent`) ?? "";
    found.push({
      name,
      deviceNumber: read("dev") ?? "",
      number,
      startBytes: (wholeNumberOf(read("start")) ?? 0) * sectorBytes,
      sizeBytes: (wholeNumberOf(read("size")) ?? 0) * sectorBytes,
      label: cleanWord(/^PARTNAME=(.*)$/m.exec(uevent)?.[1]),
      uuid: cleanWord(/^PARTUUID=(.*)$/m.exec(uevent)?.[1]),
      holders: files.list(`${base}/${name}/holders`),
    });
  }
  return found.sort((one, other) => one.number - other.number);
}
