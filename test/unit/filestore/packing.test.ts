import fc from "fast-check";
import { expect, test } from "vitest";
import {
  maxTrunkFileBytes,
  noPacking,
  type Packing,
  packingFields,
  packingFrom,
  slotFields,
  slotFrom,
} from "#filestore/packing.ts";

const packings = fc
  .record({
    mode: fc.constantFrom("off", "leased", "served"),
    slotMinBytes: fc.integer({ min: 1, max: 65_536 }),
    slotMaxBytes: fc.integer({ min: 0, max: maxTrunkFileBytes }),
    alignmentBytes: fc.integer({ min: 0, max: 65_536 }),
    trunkFileBytes: fc.integer({ min: 4_194_304, max: maxTrunkFileBytes }),
    removesUnused: fc.boolean(),
  } as const)
  .map((packing) => ({
    ...packing,
    slotMaxBytes: Math.min(packing.slotMaxBytes, packing.trunkFileBytes),
  }));

test("a packing crosses the ring as it is", () => {
  fc.assert(
    fc.property(packings, (packing) => {
      expect(packingFrom(packingFields(packing as Packing))).toEqual(packing);
    }),
  );
});

test("what no packing can be is none", () => {
  const fields = packingFields(noPacking);
  for (const wrong of [
    { text: "on" },
    { a: 0 },
    { a: 0.5 },
    { b: 2 ** 31 },
    { c: 2 ** 31 },
    { c: Number.NaN },
    { text2: "-1" },
    { text2: "x" },
  ]) {
    expect(packingFrom({ ...fields, ...wrong }), JSON.stringify(wrong)).toBeUndefined();
  }
});

test("a slot crosses the ring as it is, and rubbish is none", () => {
  const slot = { high: 255, low: 1, fileId: 1_234_567, offset: 67_000_000, size: 256 };
  expect(slotFrom(slotFields(slot))).toEqual(slot);
  for (const text of ["", "1 2 3 4", "1 2 3 4 5 6", "256 0 1 0 256", "0 0 0 0 256", "0 0 1 -1 3"]) {
    expect(slotFrom(text), text).toBeUndefined();
  }
  expect(slotFrom("0 0 1 2147483647 1")).toBeUndefined();
});
