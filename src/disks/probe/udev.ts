/**
 * What udev found out about a device, from its database below `/run/udev/data`: `E:` lines are properties, all others are udev's own.
 * `ID_FS_*` and `ID_PART_*` come from the same library that `lsblk` reads devices with, at the moment the device came. Pure.
 */
import { cleanWord } from "#disks/probe/words.ts";
import type { SignatureFacts } from "#model/disk-facts.ts";

export interface UdevDevice {
  readonly port: string | undefined;
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  /** The serial is the disk's own answer, and not that of the bridge before it. */
  readonly serialOfDisk: boolean;
  readonly wwn: string | undefined;
  readonly firmware: string | undefined;
  readonly signatures: readonly SignatureFacts[];
  readonly partitionLabel: string | undefined;
  readonly partitionUuid: string | undefined;
}

/** The file of a block device. */
export function udevDataPath(deviceNumber: string): string {
  return `/run/udev/data/b${deviceNumber}`;
}

export function parseUdevData(text: string): UdevDevice {
  const properties = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (line.startsWith("E:") && equals > 2) {
      properties.set(line.slice(2, equals), line.slice(equals + 1));
    }
  }
  const word = (...names: readonly string[]): string | undefined => {
    for (const name of names) {
      const found = cleanWord(unescaped(properties.get(name)));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const ofDisk = properties.get("ID_ATA") === "1" || properties.get("ID_BUS") !== "usb";
  const vendor = word("ID_VENDOR_ENC", "ID_VENDOR");
  return {
    port: word("ID_PATH"),
    vendor: vendor === "ATA" ? undefined : vendor,
    model: word("ID_MODEL_ENC") ?? word("ID_MODEL")?.replaceAll("_", " "),
    serial: word("ID_SERIAL_SHORT", "SCSI_IDENT_SERIAL"),
    serialOfDisk: ofDisk,
    wwn: word("ID_WWN_WITH_EXTENSION", "ID_WWN")?.toLowerCase(),
    firmware: word("ID_REVISION"),
    signatures: signaturesOf(word),
    partitionLabel: word("ID_PART_ENTRY_NAME"),
    partitionUuid: word("ID_PART_ENTRY_UUID"),
  };
}

function signaturesOf(word: (...names: string[]) => string | undefined): SignatureFacts[] {
  const found: SignatureFacts[] = [];
  const table = word("ID_PART_TABLE_TYPE");
  if (table !== undefined) {
    const uuid = word("ID_PART_TABLE_UUID");
    found.push({ type: table, usage: "partition-table", label: undefined, uuid });
  }
  const type = word("ID_FS_TYPE");
  if (type !== undefined) {
    const label = word("ID_FS_LABEL_ENC", "ID_FS_LABEL");
    const uuid = word("ID_FS_UUID_ENC", "ID_FS_UUID");
    found.push({ type, usage: usageOf(type), label, uuid });
  }
  return found;
}

/** What a signature is good for, by the name that libblkid gives it. */
export function usageOf(type: string): SignatureFacts["usage"] {
  if (type.endsWith("_raid_member") || type === "LVM1_member" || type === "LVM2_member") {
    return "raid";
  }
  if (type === "zfs_member" || type === "bcache" || type === "ceph_bluestore") return "raid";
  if (/^(?:crypto_LUKS|BitLocker|FVE-FS)$/.test(type)) return "crypto";
  return /^(?:swap|swsuspend|swap_.*|.*_journal|jbd)$/.test(type) ? "other" : "filesystem";
}

/** `\x20` for a blank, as in udev's `_ENC` properties. */
function unescaped(text: string | undefined): string | undefined {
  if (text === undefined || !text.includes("\\x")) return text;
  const bytes = text.replace(/\\x([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  // Each escape is one byte of UTF-8.
  return /[\u0080-\u00ff]/.test(bytes) && !/[\u0100-\uffff]/.test(bytes)
    ? Buffer.from(bytes, "latin1").toString("utf8")
    : bytes;
}
