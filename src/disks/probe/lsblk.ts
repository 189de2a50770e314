/**
 * What `lsblk` tells of devices. It asks udev's database; where there is none, and we are root, it reads the devices themselves: so it
 * is asked once for each disk that came or changed, never in every round. Pure.
 */
import { probeLimits } from "#disks/probe/limits.ts";
import { cleanWord } from "#disks/probe/words.ts";

/** All of them are known since util-linux 2.33. Sizes of file systems are not asked for: those would wait for mounts that hang. */
const columns = [
  ...["NAME", "KNAME", "TYPE", "TRAN", "HCTL", "VENDOR", "MODEL", "SERIAL", "WWN"],
  ...["FSTYPE", "LABEL", "UUID", "PTTYPE", "PTUUID", "PARTLABEL", "PARTUUID"],
] as const;

/** For one disk and what lies on it. */
export function lsblkParameters(device: string): readonly string[] {
  return ["--json", "--bytes", "--output", columns.join(","), device];
}

export interface LsblkDevice {
  readonly name: string;
  /** `disk`, `part`, `raid1`, `lvm`, `crypt`, `loop`, `rom`. */
  readonly type: string | undefined;
  /** `sata`, `usb`, `nvme`, … */
  readonly transport: string | undefined;
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  readonly wwn: string | undefined;
  readonly fileSystem: string | undefined;
  readonly label: string | undefined;
  readonly uuid: string | undefined;
  readonly partitionTable: string | undefined;
  readonly partitionTableUuid: string | undefined;
  readonly partitionLabel: string | undefined;
  readonly partitionUuid: string | undefined;
}

/** Devices with those below them, each once. Nothing where the text is not what `lsblk --json` prints. */
export function parseLsblk(text: string): readonly LsblkDevice[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Cut off, or of another program.
    return [];
  }
  const found = new Map<string, LsblkDevice>();
  collect(fieldOf(value, "blockdevices"), found, 0);
  return [...found.values()];
}

function collect(list: unknown, found: Map<string, LsblkDevice>, depth: number): void {
  if (!Array.isArray(list) || depth > probeLimits.maxDepth) return;
  for (const each of list as readonly unknown[]) {
    if (found.size >= probeLimits.maxDisks + probeLimits.maxPartitions) return;
    const device = deviceOf(each);
    if (device !== undefined && !found.has(device.name)) found.set(device.name, device);
    collect(fieldOf(each, "children"), found, depth + 1);
  }
}

function deviceOf(value: unknown): LsblkDevice | undefined {
  const word = (name: string): string | undefined => {
    const field = fieldOf(value, name);
    return typeof field === "string" ? cleanWord(field) : undefined;
  };
  const name = word("kname") ?? word("name");
  if (name === undefined) return undefined;
  return {
    name,
    type: word("type"),
    transport: word("tran"),
    vendor: word("vendor"),
    model: word("model"),
    serial: word("serial"),
    wwn: word("wwn")?.toLowerCase(),
    fileSystem: word("fstype"),
    label: word("label"),
    uuid: word("uuid"),
    partitionTable: word("pttype"),
    partitionTableUuid: word("ptuuid"),
    partitionLabel: word("partlabel"),
    partitionUuid: word("partuuid"),
  };
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
