import { expect, test } from "vitest";
import { writeTrunkHeader } from "#filestore/formats/trunk-header.ts";
import type { SlotEntry } from "#filestore/inventory/inventory-entry.ts";
import { slotHeaders } from "#filestore/worker/slot-headers.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

function found(bytes: Buffer, from = 0): SlotEntry[] {
  const files = new MemoryFiles();
  const descriptor = files.open("/000001", "create");
  files.write(descriptor, bytes);
  const trunk = { files, descriptor, fileId: 1, sizeBytes: bytes.length };
  return [...slotHeaders(trunk, from)].filter((entry) => entry !== undefined);
}

function slot(bytes: Buffer, at: number, sizes: number | readonly [number, number]): void {
  const [slotSize, size] = typeof sizes === "number" ? [sizes, sizes - 24] : sizes;
  writeTrunkHeader(bytes, at, { slotSize, size, crc32: at, timestamp: 7, tail: "684.dat" });
}

test("slots are found wherever they begin, over zeros and what is no header, from any place on", () => {
  const bytes = Buffer.alloc(1024 * 1024);
  const places = [0, 100, 5000, 5001 + 256, 300_000, 1024 * 1024 - 24];
  slot(bytes, 0, [100, 10]);
  slot(bytes, 100, 4000);
  // Content that looks like a header is jumped over.
  slot(bytes, 200, 50);
  slot(bytes, 5000, 257);
  slot(bytes, 5257, 30);
  bytes.fill(0x46, 5290, 5400);
  slot(bytes, 300_000, 400_000);
  slot(bytes, 1024 * 1024 - 24, 24);
  expect(found(bytes).map(({ offset }) => offset)).toEqual(places);
  expect(found(bytes, 5257).map(({ offset }) => offset)).toEqual(places.slice(3));
  expect(found(bytes)[1]).toMatchObject({
    slotSize: 4000,
    sizeBytes: 3976,
    crc32: 100,
    tail: "684.dat",
  });
});

test("a header that reaches over the end, or over its slot, is none", () => {
  const bytes = Buffer.alloc(4096);
  slot(bytes, 4000, 97);
  slot(bytes, 10, [100, 77]);
  expect(found(bytes)).toEqual([]);
  expect(found(Buffer.alloc(23))).toEqual([]);
});
