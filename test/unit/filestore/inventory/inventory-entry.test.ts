import fc from "fast-check";
import { expect, test } from "vitest";
import {
  factsOfBase,
  formatEntry,
  type InventoryEntry,
  parseEntry,
  parseSlotKey,
  slotKey,
} from "#filestore/inventory/inventory-entry.ts";

const slot: InventoryEntry = {
  kind: "slot",
  key: slotKey(12, 768),
  fileId: 12,
  offset: 768,
  slotSize: 1024,
  sizeBytes: 700,
  crc32: 0xffffffff,
  timestamp: 1795395770,
  content: "link",
  tail: "684.dat",
};

test("entries survive their lines", () => {
  const entries: InventoryEntry[] = [
    { kind: "named", key: "oQoAAmsDh9OIIrfSAAAABdsMogw362.txt" },
    {
      kind: "stated",
      key: "oQoAAmsDh9OIIrfSAAAABdsMogw362.txt-m",
      sizeBytes: 2 ** 40,
      modifiedSeconds: 7,
    },
    slot,
  ];
  for (const entry of entries) expect(parseEntry(formatEntry(entry))).toEqual(entry);
});

test("slots come in order, and before every name", () => {
  const keys = [slotKey(2, 10), slotKey(2, 9), slotKey(10, 0), "-a", "0b", "Ab"];
  expect([...keys].sort()).toEqual([
    slotKey(2, 9),
    slotKey(2, 10),
    slotKey(10, 0),
    "-a",
    "0b",
    "Ab",
  ]);
  expect(parseSlotKey(slotKey(2, 10))).toEqual({ fileId: 2, offset: 10 });
  expect(parseSlotKey("oQoAAmsDh9OIIrfSAAAABdsMogw362.txt")).toBeUndefined();
});

test("whatever a peer sends as a line is an entry or none", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 220 }), (line) => {
      const entry = parseEntry(line);
      if (entry !== undefined) expect(parseEntry(formatEntry(entry))).toEqual(entry);
    }),
  );
  for (const bad of [
    "",
    "../x",
    "a/b",
    "a b",
    "a 1",
    "a 1 -1",
    "#1#2 1 1 1 1 F 684.dat",
    `${slotKey(1, 1)} 1 1 1 1 X 684.dat`,
  ]) {
    expect(parseEntry(bad), bad).toBeUndefined();
  }
});

test("names say by themselves whether they need a look at the file", () => {
  const normal = "oQoAAmsDh9OIIrfSAAAABdsMogw362.txt";
  expect(factsOfBase(normal)?.kind).toBe("named");
  expect(factsOfBase(`${normal}-m`)?.kind).toBe("stated");
  expect(factsOfBase("oQoAAmsDh9OIIrfSAAAABdsMogw362_150x150.jpg")?.kind).toBe("stated");
  expect(factsOfBase("000012")).toBeUndefined();
  expect(factsOfBase("lost+found")).toBeUndefined();
});
