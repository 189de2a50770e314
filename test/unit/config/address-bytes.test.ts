import fc from "fast-check";
import { expect, test } from "vitest";
import {
  canonicalAddress,
  formatAddressBytes,
  parseAddressBytes,
  samePrefix,
} from "#config/address-bytes.ts";

test("an address has one canonical text", () => {
  const texts = [
    "10.0.0.1",
    "::FFFF:10.0.0.1",
    "2001:DB8:0:0:0:0:0:1",
    "::",
    "1:0:0:2:0:0:0:3",
    "1:2:3:4:5:6:7::",
  ];
  expect(texts.map(canonicalAddress)).toEqual([
    "10.0.0.1",
    "10.0.0.1",
    "2001:db8::1",
    "::",
    "1:0:0:2::3",
    "1:2:3:4:5:6:7:0",
  ]);
});

test("what is no address stays as it is", () => {
  expect(["", "host", "1.2.3", "1::2::3", "fe80::1%eth0"].map(canonicalAddress)).toEqual([
    "",
    "host",
    "1.2.3",
    "1::2::3",
    "fe80::1%eth0",
  ]);
});

test("bytes of both families survive their text", () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const family = fc.constantFrom(4, 16);
  const bytes = family.chain((length) =>
    fc.array(fc.oneof(byte, fc.constant(0)), { minLength: length, maxLength: length }),
  );
  fc.assert(
    fc.property(bytes, (address) => {
      expect(parseAddressBytes(formatAddressBytes(address))).toEqual(address);
    }),
  );
});

test("prefixes are compared bit by bit, and families never match", () => {
  expect(samePrefix([10, 1, 2, 3], [10, 1, 3, 255], 23)).toBe(true);
  expect(samePrefix([10, 1, 2, 3], [10, 1, 3, 255], 24)).toBe(false);
  expect(samePrefix([10, 1, 2, 3], [11, 0, 0, 0], 0)).toBe(true);
  expect(
    samePrefix(
      [0, 0, 0, 0],
      Array.from({ length: 16 }, () => 0),
      0,
    ),
  ).toBe(false);
});
