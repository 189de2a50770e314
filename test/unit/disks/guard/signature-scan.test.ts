/** Marks of known formats, at their places, in bytes written by hand. */
import { expect, test } from "vitest";
import { BlankReading, blankStepBytes } from "#disks/guard/blank-reading.ts";
import { DeviceWindow } from "#disks/guard/device-window.ts";
import { mixedEndianGuid, readGpt, readMbr } from "#disks/guard/partition-tables.ts";
import { signatureMarks } from "#disks/guard/signature-marks.ts";
import { findSignatures, scanDevice, scannedRegions } from "#disks/guard/signature-scan.ts";

const MiB = 1024 * 1024;
const sizeBytes = 300 * 1024 * MiB;

/** A device of zeros but for a few bytes. */
function device(size: number, written: readonly { at: number; bytes: Uint8Array }[]) {
  return async (atBytes: number, length: number): Promise<Uint8Array> => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - atBytes)));
    for (const { at, bytes: given } of written) {
      for (const [index, byte] of given.entries()) {
        const place = at + index - atBytes;
        if (place >= 0 && place < bytes.length) bytes[place] = byte;
      }
    }
    return bytes;
  };
}

test("each mark is found at each of its places, and named", async () => {
  for (const mark of signatureMarks) {
    // One of the 512 places of ZFS stands for all.
    for (const place of mark.places.slice(0, 16)) {
      const at = place(sizeBytes);
      for (const bytes of mark.magics) {
        const { signatures } = await scanDevice(device(sizeBytes, [{ at, bytes }]), sizeBytes);
        const types = signatures.map(({ type }) => type);
        expect(types, `${mark.type} at ${at}`).toContain(mark.type === "ext" ? "ext2" : mark.type);
      }
    }
  }
}, 30_000);

test("every place of every mark is read, on disks of any size", () => {
  for (const size of [512 * MiB, 512 * MiB + 512, sizeBytes, 4_000_787_030_016]) {
    const regions = scannedRegions(size);
    for (const { places, magics } of signatureMarks) {
      const length = Math.max(...magics.map((magic) => magic.length));
      for (const at of places.map((place) => place(size))) {
        if (at < 0 || at + length > size) continue;
        const holds = regions.some((each) => {
          return each.atBytes <= at && at + length <= each.atBytes + each.length;
        });
        expect(holds, `${at} of ${size}`).toBe(true);
      }
    }
    expect(regions.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(4 * MiB);
  }
});

test("zeros carry nothing", async () => {
  const scan = await scanDevice(device(sizeBytes, []), sizeBytes);
  expect(scan).toEqual({ signatures: [], gpt: undefined, partitions: [] });
});

test("file systems in partitions are found through the table", async () => {
  const entry = Buffer.from("000000000b000000", "hex");
  const table = Buffer.alloc(16);
  entry.copy(table);
  table.writeUInt32LE(2048, 8);
  table.writeUInt32LE(204_800, 12);
  const written = [
    { at: 446, bytes: table },
    { at: 510, bytes: Buffer.from([0x55, 0xaa]) },
    { at: MiB + 82, bytes: Buffer.from("FAT32   ") },
    { at: MiB + 71, bytes: Buffer.from("CAMERA     ") },
  ];
  const { signatures, partitions } = await scanDevice(device(sizeBytes, written), sizeBytes);
  expect(partitions).toEqual([{ startBytes: MiB, sizeBytes: 100 * MiB, name: undefined }]);
  expect(signatures.map(({ type, label, atBytes }) => [type, label, atBytes])).toEqual([
    ["dos", undefined, 510],
    ["vfat", "CAMERA", MiB + 82],
  ]);
});

test("tables that make no sense have no partitions", () => {
  const bytes = Buffer.alloc(8192, 0xff);
  bytes.writeUInt16LE(0xaa55, 510);
  Buffer.from("EFI PART").copy(bytes, 512);
  const window = new DeviceWindow(bytes.length, [{ atBytes: 0, bytes }]);
  expect(readMbr(window)).toEqual([]);
  expect(readGpt(window)?.partitions).toEqual([]);
  expect(findSignatures(window).map(({ type }) => type)).toEqual(["gpt", "dos"]);
  const guid = Buffer.from("00112233445566778899aabbccddeeff", "hex");
  expect(mixedEndianGuid(guid)).toBe("33221100-5544-7766-8899-aabbccddeeff");
});

test("a proof is whole only when every byte was read and was zero", () => {
  const size = 3 * blankStepBytes + 512;
  const subject = { sequence: 1, sizeBytes: size, changedSectors: 0 };
  const whole = new BlankReading(subject);
  while (!whole.done) whole.take(new Uint8Array(whole.next.length));
  expect(whole.proof).toEqual({ ...subject, readBytes: size, dataAtBytes: undefined });
  for (const at of [0, 1, blankStepBytes + 5, size - 1]) {
    const reading = new BlankReading(subject);
    while (!reading.done) {
      const { atBytes, length } = reading.next;
      const bytes = new Uint8Array(length);
      if (at >= atBytes && at < atBytes + length) bytes[at - atBytes] = 1;
      reading.take(bytes);
    }
    expect(reading.proof.dataAtBytes).toBe(at);
  }
});
