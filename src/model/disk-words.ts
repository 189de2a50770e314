/** What is known of a disk, as people say it. Pure. */
import type { DiskBus, DiskFacts, MountFacts, SignatureFacts } from "#model/disk-facts.ts";

const busWords: Readonly<Record<DiskBus, string>> = {
  ...{ sata: "SATA", usb: "USB", nvme: "NVMe", scsi: "SCSI", virtio: "virtio", mmc: "SD/eMMC" },
  ...{ loop: "loop", virtual: "virtual", unknown: "unknown" },
};

export function busWord(bus: DiskBus): string {
  return busWords[bus];
}

/** `USB 1.4`, `SATA 3`, `card`: as short as it can be said; the port itself where there is no better word. */
export function placeWords({ bus, port, backingFile }: DiskFacts): string {
  if (bus === "loop") return backingFile ?? "a file";
  const usb = /-usb-\d+:([\d.]+):/.exec(port ?? "")?.[1];
  if (usb !== undefined) return `USB ${usb}`;
  const ata = /-ata-([\d.]+)/.exec(port ?? "")?.[1];
  if (ata !== undefined) return `SATA ${ata}`;
  if (bus === "mmc") return "card";
  const slot = /pci-\w{4}:(\w{2}:\w{2}\.\w)/.exec(port ?? "")?.[1];
  if (slot !== undefined) return `PCI ${slot}`;
  return port ?? (bus === "virtual" ? "in the kernel" : "unknown");
}

/** What is on a disk: `the system; gpt: vfat at /boot/efi, ext4 at /`, `ext4 "photos"`, `nothing that is known`. */
export function contentWords(disk: DiskFacts): string {
  const table = disk.signatures.find(({ usage }) => usage === "partition-table");
  const whole = partWords(disk);
  const parts = disk.partitions.map((each) => partWords(each) ?? "unknown");
  const words: string[] = [];
  if (whole !== undefined) words.push(whole);
  if (parts.length > 0) words.push(`${tableWord(table)}${listed(parts)}`);
  else if (table !== undefined) words.push(`an empty partition table (${table.type})`);
  if (words.length === 0) words.push("nothing that is known");
  return [...(disk.ofSystem ? ["the system"] : []), ...words].join("; ");
}

interface Part {
  readonly signatures: readonly SignatureFacts[];
  readonly mounts: readonly MountFacts[];
  readonly holders?: readonly string[];
}

function partWords({ signatures, mounts, holders = [] }: Part): string | undefined {
  const what = signatures.filter(({ usage }) => usage !== "partition-table").map(signatureWords);
  const points = mounts.map(({ point }) => point);
  const at = points.length === 0 ? "" : ` at ${listed(points)}`;
  const used = holders.length === 0 ? "" : ` (in ${listed(holders)})`;
  if (what.length === 0) {
    return at === "" && used === "" ? undefined : `a file system${at}${used}`;
  }
  return `${what.join(" and ")}${at}${used}`;
}

const memberWords: ReadonlyMap<string, string> = new Map([
  ["linux_raid_member", "part of a RAID"],
  ["LVM2_member", "part of a volume group (LVM)"],
  ["LVM1_member", "part of a volume group (LVM)"],
  ["zfs_member", "part of a ZFS pool"],
  ["crypto_LUKS", "encrypted (LUKS)"],
  ["BitLocker", "encrypted (BitLocker)"],
  ["swap", "swap"],
]);

function signatureWords({ type, usage, label }: SignatureFacts): string {
  const known = memberWords.get(type) ?? (usage === "raid" ? `part of a RAID (${type})` : type);
  return label === undefined ? known : `${known} "${label}"`;
}

function tableWord(table: SignatureFacts | undefined): string {
  return table === undefined ? "" : `${table.type}: `;
}

const most = 4;

function listed(words: readonly string[]): string {
  const shown = words.slice(0, most).join(", ");
  return words.length > most ? `${shown} and ${words.length - most} more` : shown;
}

/** As sizes of disks are printed on them: `640 MB`, `4.0 TB`. */
export function roughSize(bytes: number): string {
  for (const [unit, name] of [
    [1e12, "TB"],
    [1e9, "GB"],
    [1e6, "MB"],
  ] as const) {
    if (bytes >= unit) return `${(bytes / unit).toFixed(bytes >= 10 * unit ? 0 : 1)} ${name}`;
  }
  return "less than 1 MB";
}
