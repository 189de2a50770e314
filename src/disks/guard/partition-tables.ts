/** Partition tables as far as the guard needs them: which parts of the device to look at for more marks. Pure. */
import { type DeviceWindow, formatUuid } from "#disks/guard/device-window.ts";

export interface TablePartition {
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** Of the GPT; undefined where there is none. */
  readonly name: string | undefined;
}

export interface GptHeader {
  /** `8-4-4-4-12` digits, lower case. */
  readonly diskGuid: string;
  readonly sectorBytes: number;
  readonly partitions: readonly TablePartition[];
}

/** More are not looked at one by one. */
export const maxPartitions = 16;

const magic = Buffer.from("EFI PART");
const entryLimit = { minBytes: 128, maxBytes: 4096 };

/** The first table that can be read; it need not be whole to be shown. */
export function readGpt(window: DeviceWindow): GptHeader | undefined {
  for (const sectorBytes of [512, 4096]) {
    if (!window.matches(sectorBytes, magic)) continue;
    const guid = window.bytes(sectorBytes + 56, 16);
    if (guid === undefined) continue;
    const partitions = gptPartitions(window, sectorBytes);
    return { diskGuid: mixedEndianGuid(guid), sectorBytes, partitions };
  }
  return undefined;
}

function gptPartitions(window: DeviceWindow, sectorBytes: number): TablePartition[] {
  const entriesAt = Number(window.u64(sectorBytes + 72) ?? 0n) * sectorBytes;
  const count = Math.min(window.u32(sectorBytes + 80) ?? 0, 128);
  const entryBytes = window.u32(sectorBytes + 84) ?? 0;
  const found: TablePartition[] = [];
  if (entryBytes < entryLimit.minBytes || entryBytes > entryLimit.maxBytes) return found;
  for (let index = 0; index < count && found.length < maxPartitions; index += 1) {
    const at = entriesAt + index * entryBytes;
    const type = window.bytes(at, 16);
    if (type === undefined || type.every((byte) => byte === 0)) continue;
    const first = Number(window.u64(at + 32) ?? 0n);
    const last = Number(window.u64(at + 40) ?? 0n);
    const name = window.text(at + 56, 72, "utf16le");
    add(found, window, { first, count: last - first + 1, sectorBytes, name });
  }
  return found;
}

/** The four primary partitions of an MBR; none where the boot sector is no table. Protective entries of a GPT are left out. */
export function readMbr(window: DeviceWindow): readonly TablePartition[] {
  const found: TablePartition[] = [];
  if (!window.matches(510, Buffer.from([0x55, 0xaa]))) return found;
  for (let index = 0; index < 4; index += 1) {
    const at = 446 + index * 16;
    const entry = window.bytes(at, 16);
    const type = entry?.[4] ?? 0;
    // The first byte of an entry is 0 or 0x80; boot sectors of file systems have code here.
    if (entry === undefined || ((entry[0] ?? 1) & 0x7f) !== 0) return [];
    if (type === 0 || type === 0xee) continue;
    const first = window.u32(at + 8) ?? 0;
    const count = window.u32(at + 12) ?? 0;
    add(found, window, { first, count, sectorBytes: 512, name: undefined });
  }
  return found;
}

function add(
  found: TablePartition[],
  window: DeviceWindow,
  entry: {
    readonly first: number;
    readonly count: number;
    readonly sectorBytes: number;
    readonly name: string | undefined;
  },
): void {
  const startBytes = entry.first * entry.sectorBytes;
  const sizeBytes = Math.min(entry.count * entry.sectorBytes, window.sizeBytes - startBytes);
  if (startBytes > 0 && sizeBytes > 0) found.push({ startBytes, sizeBytes, name: entry.name });
}

/** GUIDs of partition tables have their first three fields turned round. */
export function mixedEndianGuid(bytes: Uint8Array): string {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return formatUuid(Buffer.from(order.map((at) => bytes[at] ?? 0)).toString("hex"));
}
