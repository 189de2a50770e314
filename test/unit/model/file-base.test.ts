import fc from "fast-check";
import { expect, test } from "vitest";
import {
  encodeSource,
  isNamePart,
  makeBase,
  makeTail,
  type NewBase,
  randomBitsLimit,
  randomDigitsLimit,
  slaveName,
  tailOf,
} from "#model/file-base.ts";
import { decodeBase } from "#model/file-id.ts";
import { StorageId } from "#model/storage-id.ts";

const address = { kind: "address", address: "10.9.0.2" } as const;

/** By the numbers of the protocol's section 3.11. */
const examples: Readonly<Record<number, readonly [NewBase, string]>> = {
  1: [
    {
      ...{ source: address, timestamp: 1795395770, size: 2097152, crc32: 0x17398970 },
      ...{ randomBits: 0x0c7a78, kind: "normal", tail: makeTail("bin", 711) },
    },
    "CgkAAmsDkLqADHp4ACAAABc5iXA711.bin",
  ],
  2: [
    {
      ...{ source: address, timestamp: 1795395770, size: 17, crc32: 0x3e09249c },
      ...{ randomBits: 0x1f9c89, kind: "trunk", tail: makeTail("txt", 9362) },
      trunk: { fileId: 1, offset: 0, size: 256 },
    },
    "CgkAAmsDkLqIH5yJAAAAET4JJJwAAAAAQAAAAAAAAEA362.txt",
  ],
  3: [
    {
      ...{ source: address, timestamp: 1795395770, size: 3, crc32: 0x352441c2 },
      ...{ randomBits: 0x69ca27, kind: "appender", tail: makeTail("log", 579) },
    },
    "CgkAAmsDkLqEaconAAAAADUkQcI579.log",
  ],
  4: [
    {
      ...{ source: address, timestamp: 1795395770, size: 9, crc32: 0x5f28702f },
      ...{ randomBits: 0x7a3154, kind: "normal" },
      tail: tailOf("CgkAAmsDkLqEaconAAAAADUkQcI579.log"),
    },
    "CgkAAmsDkLqAejFUAAAACV8ocC8579.log",
  ],
  5: [
    {
      ...{ source: { kind: "id", id: StorageId("100002") }, timestamp: 0x6b0393a6, size: 8 },
      ...{ crc32: 0x39be8652, randomBits: 0x1e2b4e, kind: "normal", tail: "252.txt" },
    },
    "ooYBAGsDk6aAHitOAAAACDm-hlI252.txt",
  ],
  7: [
    {
      ...{ source: address, timestamp: 1795395770, size: 0, crc32: 0 },
      ...{ randomBits: 0x44ffcc, kind: "appender", tail: makeTail("", 1106773) },
    },
    "CgkAAmsDkLqERP_MAAAAAAAAAAA1106773",
  ],
  8: [
    {
      ...{ source: { kind: "address", address: "10.9.0.3" }, timestamp: 0x6b039177, size: 60 },
      ...{ crc32: 0x27fa526f, randomBits: 0x44a2a3, kind: "trunk", tail: makeTail("lnk", 36) },
      trunk: { fileId: 2, offset: 768, size: 256 },
    },
    "CgkAA2sDkXeIRKKjAAAAPCf6Um8AAAAAgAAAwAAAAEA036.lnk",
  ],
  9: [
    {
      ...{ source: { kind: "address", address: "192.168.1.10" }, timestamp: 1700000000 },
      ...{ size: 5 * 2 ** 30 + 123, crc32: 0xdeadbeef, randomBits: 0x123456, kind: "normal" },
      tail: makeTail("", 123),
    },
    "wKgBCmVT8QAAAAABQAAAe96tvu80000123",
  ],
  10: [
    {
      ...{ source: { kind: "id", id: StorageId("100001") }, timestamp: 1700000000, size: 1024 },
      ...{ crc32: 0x12345678, randomBits: 0x5a5a5a, kind: "normal", tail: "711.txt" },
    },
    "oYYBAGVT8QCAWlpaAAAEABI0Vng711.txt",
  ],
  11: [
    {
      ...{ source: { kind: "address", address: "10.9.0.3" }, timestamp: 0x6b039174, size: 700 },
      ...{ crc32: 0x8bf39bdf, randomBits: 0x0dfe06, kind: "trunk", tail: "684.dat" },
      trunk: { fileId: 2, offset: 0, size: 768 },
    },
    "CgkAA2sDkXSIDf4GAAACvIvzm98AAAAAgAAAAAAAAMA684.dat",
  ],
};

for (const [number, [file, expected]] of Object.entries(examples)) {
  test(`example ${number} is made`, () => {
    expect(makeBase(file)).toBe(expected);
  });
}

test("whatever is made is read again", () => {
  const files = fc.record({
    source: fc.oneof(
      // An address that ends in zero reads as a numeric id.
      fc
        .ipV4()
        .filter((text) => !text.endsWith(".0"))
        .map((text) => ({ kind: "address" as const, address: text })),
      fc
        .integer({ min: 1, max: 0xffffff })
        .map((id) => ({ kind: "id" as const, id: StorageId(String(id)) })),
    ),
    timestamp: fc.nat(0xffffffff),
    size: fc.oneof(fc.nat(0xffffffff), fc.integer({ min: 0, max: 2 ** 53 - 1 })),
    crc32: fc.nat(0xffffffff),
    randomBits: fc.nat(randomBitsLimit - 1),
  });
  const property = fc.property(files, fc.nat(randomDigitsLimit - 1), (file, digits) => {
    const base = makeBase({ ...file, kind: "normal", tail: makeTail("dat", digits) });
    const { source, timestamp, size, crc32 } = file;
    expect(base).toHaveLength(34);
    expect(decodeBase(base)).toMatchObject({ source, timestamp, size, crc32, extension: "dat" });
    const appender = makeBase({ ...file, kind: "appender", tail: makeTail("", digits) });
    expect(decodeBase(appender)).toMatchObject({ source, timestamp, isAppender: true });
  });
  fc.assert(property, { numRuns: 300 });
});

test("random digits fill up to seven characters", () => {
  expect(makeTail("txt", 1234362)).toBe("362.txt");
  expect(makeTail("jpeg", 41)).toBe("41.jpeg");
  expect(makeTail("tar.gz", 5)).toBe(".tar.gz");
  expect(makeTail("c", 5)).toBe("00005.c");
  expect(makeTail("", 42)).toBe("0000042");
});

test("a slave is called after its master, whose extension gives way", () => {
  const master = "M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
  const stem = "M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711";
  expect(slaveName(master, "_150x150", "jpg")).toBe(`${stem}_150x150.jpg`);
  expect(slaveName(master, "_s", "")).toBe(`${stem}_s`);
  expect(slaveName(master, "_s", ".jpg")).toBe(`${stem}_s.jpg`);
  expect(slaveName(`${stem}_a.png`, "_b", "png")).toBe(`${stem}_a_b.png`);
  expect(slaveName(`${stem}.tar.gz`, "_b", "c")).toBe(`${stem}_b.c`);
  const bare = "M00/00/00/CgkAAmsDkLqERP_MAAAAAAAAAAA1106773";
  expect(slaveName(bare, "-x", "")).toBe(`${bare}-x`);
});

test("prefixes and extensions are of letters, digits, dots, hyphens and underscores", () => {
  expect(isNamePart("tar.gz", 6)).toBe(true);
  expect(isNamePart("", 6)).toBe(true);
  expect(isNamePart("toolong", 6)).toBe(false);
  for (const text of ["a/b", "a b", "é", "a\0", "@", "[", "`", "{", ":"]) {
    expect(isNamePart(text, 16), text).toBe(false);
  }
});

test("an IPv6 address cannot name files", () => {
  expect(() => encodeSource({ kind: "address", address: "fe80::2" })).toThrow(
    "files cannot be named after fe80::2: give the storage an IPv4 address or a numeric storage id",
  );
  expect(() => encodeSource({ kind: "id", id: StorageId("10.9.0.2") })).toThrow("cannot be named");
  expect(encodeSource({ kind: "address", address: "255.0.10.1" })).toBe(0xff000a01);
});

test("a slot belongs to trunk files alone", () => {
  const [file] = examples[1] ?? [];
  const trunk = { fileId: 1, offset: 0, size: 256 };
  expect(() => makeBase({ ...(file as NewBase), trunk })).toThrow("assertion failed");
  expect(() => makeBase({ ...(file as NewBase), tail: "12" })).toThrow("assertion failed");
});
