/**
 * Looks for the marks of known formats on a device and in its partitions, by reading the few parts that can hold one. What it finds is
 * shown to people; that nothing was found is no leave to write.
 */
import { DeviceWindow, type Region } from "#disks/guard/device-window.ts";
import type { FoundSignature } from "#disks/guard/evidence.ts";
import {
  type GptHeader,
  readGpt,
  readMbr,
  type TablePartition,
} from "#disks/guard/partition-tables.ts";
import { type Mark, signatureMarks } from "#disks/guard/signature-marks.ts";

/** Reads `length` bytes, fewer only at the end of the device. */
export type ReadDevice = (atBytes: number, length: number) => Promise<Uint8Array>;

export interface DeviceScan {
  readonly signatures: readonly FoundSignature[];
  readonly gpt: GptHeader | undefined;
  readonly partitions: readonly TablePartition[];
}

const KiB = 1024;
const MiB = 1024 * KiB;
/** Most marks are in the first and the last MiB; the further ones get a read of their own. */
const edgeBytes = MiB + 8 * KiB;
const spotBytes = 4 * KiB;
/** A name for everything would not help anybody. */
const maxSignatures = 64;

/** Rejects with what `read` rejects with. */
export async function scanDevice(read: ReadDevice, sizeBytes: number): Promise<DeviceScan> {
  const window = await loadWindow(read, sizeBytes);
  const signatures = findSignatures(window);
  const gpt = readGpt(window);
  const partitions = gpt?.partitions ?? readMbr(window);
  for (const { startBytes, sizeBytes: size } of partitions) {
    const readPart: ReadDevice = (atBytes, length) => read(startBytes + atBytes, length);
    for (const found of findSignatures(await loadWindow(readPart, size))) {
      signatures.push({ ...found, atBytes: startBytes + found.atBytes });
    }
  }
  return { signatures: distinct(signatures).slice(0, maxSignatures), gpt, partitions };
}

/** What a scan has to read of a device of that size. Ordered, and inside of the device. */
export function scannedRegions(sizeBytes: number): readonly { atBytes: number; length: number }[] {
  const edges: { atBytes: number; length: number }[] = [
    { atBytes: 0, length: Math.min(edgeBytes, sizeBytes) },
  ];
  if (sizeBytes > edgeBytes) {
    // The end of a device is whole sectors; reads begin at one, too.
    const start = Math.max(0, Math.floor((sizeBytes - edgeBytes) / spotBytes) * spotBytes);
    edges.push({ atBytes: start, length: sizeBytes - start });
  }
  const isInside = (place: number) =>
    edges.some(({ atBytes, length }) => place >= atBytes && place + 512 <= atBytes + length);
  const places = signatureMarks.flatMap((mark) => mark.places.map((place) => place(sizeBytes)));
  const spots = new Set(
    places
      .filter((place) => place >= 0 && place + 512 <= sizeBytes && !isInside(place))
      .map((place) => Math.floor(place / spotBytes) * spotBytes),
  );
  const further = [...spots].map((atBytes) => ({
    atBytes,
    length: Math.min(spotBytes, sizeBytes - atBytes),
  }));
  return [...edges, ...further].sort((one, other) => one.atBytes - other.atBytes);
}

async function loadWindow(read: ReadDevice, sizeBytes: number): Promise<DeviceWindow> {
  const regions: Region[] = [];
  for (const { atBytes, length } of scannedRegions(sizeBytes)) {
    regions.push({ atBytes, bytes: await read(atBytes, length) });
  }
  return new DeviceWindow(sizeBytes, regions);
}

/** All marks in what was read. */
export function findSignatures(window: DeviceWindow): FoundSignature[] {
  const found: { readonly mark: Mark; readonly signature: FoundSignature }[] = [];
  for (const mark of signatureMarks) {
    for (const place of mark.places) {
      const atBytes = place(window.sizeBytes);
      if (mark.magics.some((magic) => window.matches(atBytes, magic))) {
        found.push({ mark, signature: describe(window, mark, atBytes) });
        // One label of ZFS has 128 of them.
        if (mark.type === "zfs_member") break;
      }
    }
  }
  const isSure = found.some(({ mark }) => mark.usage === "filesystem" && mark.weak === undefined);
  return found
    .filter(({ mark }) => mark.weak === undefined || !isSure)
    .map(({ signature }) => signature);
}

function describe(window: DeviceWindow, mark: Mark, atBytes: number): FoundSignature {
  const { usage, label, uuidFrom } = mark;
  const type = mark.type === "ext" ? extVersion(window, atBytes) : mark.type;
  const says = mark.type === "ext" ? `a Linux file system (${type})` : mark.says;
  return {
    ...{ type, usage, says, atBytes },
    label: label === undefined ? undefined : window.text(atBytes + label.from, label.length),
    uuid: uuidFrom === undefined ? undefined : window.uuid(atBytes + uuidFrom),
  };
}

/** By what the file system asks of whoever mounts it, counted from the magic. */
function extVersion(window: DeviceWindow, magicAt: number): string {
  const compatible = window.u32(magicAt + 36) ?? 0;
  const incompatible = window.u32(magicAt + 40) ?? 0;
  const hasExtents = (incompatible & 0x3c0) !== 0;
  if (hasExtents) return "ext4";
  return (compatible & 0x4) === 0 ? "ext2" : "ext3";
}

function distinct(signatures: readonly FoundSignature[]): FoundSignature[] {
  const seen = new Map(signatures.map((each) => [`${each.type}@${each.atBytes}`, each]));
  return [...seen.values()];
}
