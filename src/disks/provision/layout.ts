/**
 * How a disk of Cairn's is divided: a GPT with one partition that begins and ends at whole MiB, and everything in it named after the
 * disk's id, so that whoever finds half of it knows which half is missing. Pure.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { formatUuid } from "#disks/guard/device-window.ts";
import type { DiskFileSystem } from "#disks/helper-protocol.ts";
import type { DiskId } from "#model/disk-id.ts";

export interface DiskPlan {
  readonly diskId: DiskId;
  readonly fileSystem: DiskFileSystem;
}

export interface DiskGeometry {
  readonly sizeBytes: number;
  readonly sectorBytes: number;
}

export interface DiskLayout {
  readonly diskGuid: string;
  /** Of the file system; lower case. */
  readonly fileSystemUuid: string;
  /** Of partition and file system: `cairn-1a2b`. */
  readonly label: string;
  readonly partition: { readonly startBytes: number; readonly sizeBytes: number };
  /** Says whose the disk is from the first write on: the table's header, whole and final. */
  readonly mark: Piece;
  /** The rest of the table. */
  readonly table: readonly Piece[];
}

export interface Piece {
  readonly atBytes: number;
  readonly bytes: Uint8Array;
}

const MiB = 1024 * 1024;
const entryCount = 128;
const entryBytes = 128;
const headerBytes = 92;
/** "Linux file system data". */
const linuxData = "0fc63daf-8483-4772-8e79-3d69d8477de4";

/** The partition that all of Cairn's data lies in. */
export const dataPartition = 1;

export function layoutOf(plan: DiskPlan, geometry: DiskGeometry): DiskLayout {
  const { sizeBytes, sectorBytes } = geometry;
  const label = `cairn-${plan.diskId.slice(0, 4)}`;
  const startBytes = MiB;
  // The last MiB is the backup table's.
  const endBytes = Math.floor((sizeBytes - MiB) / MiB) * MiB;
  const partition = { startBytes, sizeBytes: endBytes - startBytes };
  const entries = Buffer.alloc(entryCount * entryBytes);
  putGuid(entries, 0, linuxData);
  putGuid(entries, 16, derivedUuid(plan.diskId, "partition"));
  entries.writeBigUInt64LE(BigInt(startBytes / sectorBytes), 32);
  entries.writeBigUInt64LE(BigInt(endBytes / sectorBytes - 1), 40);
  entries.write(label, 56, "utf16le");
  const diskGuid = formatUuid(plan.diskId);
  const table = { diskGuid, geometry, entries };
  const last = sizeBytes / sectorBytes - 1;
  const entrySectors = entries.length / sectorBytes;
  return {
    diskGuid,
    fileSystemUuid: fileSystemUuidOf(plan.diskId),
    label,
    partition,
    mark: header(table, { own: 1, other: last, entriesAt: 2 }),
    table: [
      { atBytes: 2 * sectorBytes, bytes: entries },
      { atBytes: (last - entrySectors) * sectorBytes, bytes: entries },
      header(table, { own: last, other: 1, entriesAt: last - entrySectors }),
      { atBytes: 0, bytes: protectiveMbr(last, sectorBytes) },
    ],
  };
}

/** Of the file system that is made for a disk: who has it, is that disk, or a copy of it. */
export function fileSystemUuidOf(diskId: DiskId): string {
  return derivedUuid(diskId, "file system");
}

interface Table {
  readonly diskGuid: string;
  readonly geometry: DiskGeometry;
  readonly entries: Buffer;
}

/** Places in sectors. */
interface HeaderPlace {
  readonly own: number;
  readonly other: number;
  readonly entriesAt: number;
}

function header({ diskGuid, geometry, entries }: Table, place: HeaderPlace): Piece {
  const { sectorBytes, sizeBytes } = geometry;
  const entrySectors = entries.length / sectorBytes;
  const bytes = Buffer.alloc(sectorBytes);
  bytes.write("EFI PART", 0, "latin1");
  bytes.writeUInt32LE(0x0001_0000, 8);
  bytes.writeUInt32LE(headerBytes, 12);
  bytes.writeBigUInt64LE(BigInt(place.own), 24);
  bytes.writeBigUInt64LE(BigInt(place.other), 32);
  bytes.writeBigUInt64LE(BigInt(2 + entrySectors), 40);
  bytes.writeBigUInt64LE(BigInt(sizeBytes / sectorBytes - entrySectors - 2), 48);
  putGuid(bytes, 56, diskGuid);
  bytes.writeBigUInt64LE(BigInt(place.entriesAt), 72);
  bytes.writeUInt32LE(entryCount, 80);
  bytes.writeUInt32LE(entryBytes, 84);
  bytes.writeUInt32LE(crc32(entries), 88);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, headerBytes)), 16);
  return { atBytes: place.own * sectorBytes, bytes };
}

/** For programs that know no GPT: one partition of an unknown kind over all of it. */
function protectiveMbr(lastSector: number, sectorBytes: number): Buffer {
  const bytes = Buffer.alloc(sectorBytes);
  bytes.set([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff], 446);
  bytes.writeUInt32LE(1, 454);
  bytes.writeUInt32LE(Math.min(lastSector, 0xffff_ffff), 458);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}

/** GUIDs of partition tables have their first three fields turned round. */
function putGuid(bytes: Buffer, at: number, guid: string): void {
  const digits = Buffer.from(guid.replaceAll("-", ""), "hex");
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  for (const [index, from] of order.entries()) bytes[at + index] = digits[from] ?? 0;
}

/** Always the same of one disk, and a valid UUID (version 8, RFC 9562). */
function derivedUuid(diskId: DiskId, what: string): string {
  const bytes = createHash("sha256").update(`cairn ${what} ${diskId}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return formatUuid(bytes.toString("hex"));
}
