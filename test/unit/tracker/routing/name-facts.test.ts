import fc from "fast-check";
import { expect, test } from "vitest";
import { addressKey, isNumericKey, nameFacts } from "#tracker/routing/name-facts.ts";

test("source, time and kind of the names in the protocol's worked examples", () => {
  const source = addressKey("10.9.0.2");
  const normal = { sourceKey: source, timestamp: 1795395770, isNormal: true };
  const special = { ...normal, isNormal: false };
  const facts = (name: string): unknown => nameFacts(name);
  expect(facts("M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin")).toEqual(normal);
  expect(facts("M00/00/00/CgkAAmsDkLqIH5yJAAAAET4JJJwAAAAAQAAAAAAAAEA362.txt")).toEqual(normal);
  expect(facts("M00/00/00/CgkAAmsDkLqEaconAAAAADUkQcI579.log")).toEqual(special);
  expect(facts("M00/00/00/CgkAAmsDkLqAejFUAAAACV8ocC8579.log")).toEqual(normal);
  expect(facts("M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711_150x150.jpg")).toEqual(special);
  expect(facts("M00/00/00/CgkAAmsDkLqERP_MAAAAAAAAAAA1106773")).toEqual(special);
});

test("a numeric id is read from its little-endian bytes", () => {
  const facts = nameFacts("M00/00/00/ooYBAGsDk6aAHitOAAAACDm-hlI252.txt");
  expect(facts).toEqual({ sourceKey: 100002, timestamp: 0x6b0393a6, isNormal: true });
  expect(isNumericKey(facts.sourceKey)).toBe(true);
  expect(isNumericKey(addressKey("192.168.1.10") ?? 0)).toBe(false);
});

test("a slave of a trunk file is told by its length", () => {
  const master = "M00/00/00/CgkAAmsDkLqIH5yJAAAAET4JJJwAAAAAQAAAAAAAAEA362";
  expect(nameFacts(`${master}_s.jpg`).isNormal).toBe(false);
  // Documented weakness of the name format (protocol §3.6): a short one looks like its master.
  expect(nameFacts(`${master.slice(0, 56)}-s`).isNormal).toBe(true);
});

test("the key of an address is what a name of it carries", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.nat({ max: 0x7fffffff }), (address, time) => {
      const bytes = Buffer.alloc(20);
      bytes.set(address.split(".").map(Number), 0);
      bytes.writeUInt32BE(time, 4);
      bytes.writeUInt32BE(0x80000000, 8);
      const name = `M00/00/00/${bytes.toString("base64url")}362.txt`;
      expect(nameFacts(name)).toEqual({
        sourceKey: addressKey(address),
        timestamp: time,
        isNormal: true,
      });
    }),
  );
});

test("any text leads to some facts and to no error", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 127 }), (name) => {
      const facts = nameFacts(name);
      expect(facts.sourceKey).toBeGreaterThanOrEqual(0);
      expect(facts.timestamp).toBeLessThan(2 ** 32);
    }),
  );
});

test("what is no dotted quad has no key", () => {
  expect([addressKey("fe80::2"), addressKey("10.0.0"), addressKey("10.0.0.256")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
