/** The worked examples of the protocol's section 3.11 are here and in `file-base.test.ts`, by their numbers. */
import { expect, test } from "vitest";
import { encodeThreeWords, encodeTwoWords } from "#model/base64.ts";
import {
  crcInName,
  type DecodedBase,
  decodeBase,
  decodeSource,
  decodeTimestamp,
  formatFileId,
  isTrunkBase,
  sizeInName,
  splitFileId,
  swapBytes,
} from "#model/file-id.ts";
import { GroupName } from "#model/group-name.ts";

const source = { kind: "address", address: "10.9.0.2" } as const;
const plain = {
  isAppender: false,
  isTrunk: false,
  isSlave: false,
  trunk: undefined,
} as const;

const examples: readonly (readonly [string, DecodedBase])[] = [
  [
    "CgkAAmsDkLqADHp4ACAAABc5iXA711.bin",
    { ...plain, source, timestamp: 1795395770, size: 2097152, crc32: 0x17398970, extension: "bin" },
  ],
  [
    "CgkAAmsDkLqIH5yJAAAAET4JJJwAAAAAQAAAAAAAAEA362.txt",
    {
      ...plain,
      ...{ source, timestamp: 1795395770, size: 17, crc32: 0x3e09249c, extension: "txt" },
      isTrunk: true,
      trunk: { fileId: 1, offset: 0, size: 256 },
    },
  ],
  [
    "CgkAAmsDkLqEaconAAAAADUkQcI579.log",
    {
      ...plain,
      ...{ source, timestamp: 1795395770, size: undefined, crc32: 0x352441c2, extension: "log" },
      isAppender: true,
    },
  ],
  [
    "CgkAAmsDkLqAejFUAAAACV8ocC8579.log",
    { ...plain, source, timestamp: 1795395770, size: 9, crc32: 0x5f28702f, extension: "log" },
  ],
  [
    "ooYBAGsDk6aAHitOAAAACDm-hlI252.txt",
    {
      ...plain,
      source: { kind: "id", id: "100002" as never },
      ...{ timestamp: 0x6b0393a6, size: 8, crc32: 0x39be8652, extension: "txt" },
    },
  ],
  [
    "CgkAAmsDkLqADHp4ACAAABc5iXA711_150x150.jpg",
    {
      ...plain,
      ...{ source, timestamp: 1795395770, size: undefined, crc32: 0x17398970, extension: "jpg" },
      isSlave: true,
    },
  ],
  [
    "CgkAAmsDkLqERP_MAAAAAAAAAAA1106773",
    {
      ...plain,
      ...{ source, timestamp: 1795395770, size: undefined, crc32: 0, extension: "" },
      isAppender: true,
    },
  ],
  [
    "CgkAA2sDkXeIRKKjAAAAPCf6Um8AAAAAgAAAwAAAAEA036.lnk",
    {
      ...plain,
      source: { kind: "address", address: "10.9.0.3" },
      ...{ timestamp: 0x6b039177, size: 60, crc32: 0x27fa526f, extension: "lnk" },
      isTrunk: true,
      trunk: { fileId: 2, offset: 768, size: 256 },
    },
  ],
  [
    "wKgBCmVT8QAAAAABQAAAe96tvu80000123",
    {
      ...plain,
      source: { kind: "address", address: "192.168.1.10" },
      ...{ timestamp: 1700000000, size: 5 * 2 ** 30 + 123, crc32: 0xdeadbeef, extension: "" },
    },
  ],
  [
    "oYYBAGVT8QCAWlpaAAAEABI0Vng711.txt",
    {
      ...plain,
      source: { kind: "id", id: "100001" as never },
      ...{ timestamp: 1700000000, size: 1024, crc32: 0x12345678, extension: "txt" },
    },
  ],
  [
    "CgkAA2sDkXSIDf4GAAACvIvzm98AAAAAgAAAAAAAAMA684.dat",
    {
      ...plain,
      source: { kind: "address", address: "10.9.0.3" },
      ...{ timestamp: 0x6b039174, size: 700, crc32: 0x8bf39bdf, extension: "dat" },
      isTrunk: true,
      trunk: { fileId: 2, offset: 0, size: 768 },
    },
  ],
];

for (const [index, [base, expected]] of examples.entries()) {
  test(`example ${index + 1} is read`, () => {
    expect(decodeBase(base)).toEqual(expected);
    expect(decodeTimestamp(base)).toBe(expected.timestamp);
    expect(sizeInName(base)).toBe(expected.size);
    const ownCrc = expected.isAppender || expected.isSlave ? undefined : expected.crc32;
    expect(crcInName(base)).toBe(ownCrc);
    expect(isTrunkBase(base)).toBe(expected.isTrunk);
  });
}

test("the slave of a trunk file is told by its length, a short one looks like its master (protocol §3.6)", () => {
  const stem = "CgkAAmsDkLqIH5yJAAAAET4JJJwAAAAAQAAAAAAAAEA362";
  expect(decodeBase(`${stem}_150x150.jpg`)).toMatchObject({ isSlave: true, isTrunk: false });
  expect(decodeBase(`${stem}-s`)).toMatchObject({ isSlave: false, isTrunk: false, size: 17 });
});

test("the extension is what follows the random digits, or a slave's last dot", () => {
  const extension = (tail: string): unknown =>
    decodeBase(`CgkAAmsDkLqADHp4ACAAABc5iXA${tail}`)?.extension;
  expect(extension(".tar.gz")).toBe("tar.gz");
  expect(extension("1234567")).toBe("");
  expect(extension("711_v1.2.jpg")).toBe("jpg");
  expect(extension("711_small_and_long")).toBe("");
});

test("a name without 27 characters of base64 does not decode", () => {
  for (const base of [
    "",
    "000012",
    "CgkAAmsDkLqADHp4ACAAABc5iX",
    "CgkAAmsDkLqADHp4ACAAABc5i.A711.bin",
  ]) {
    expect(decodeBase(base), base).toBeUndefined();
    expect(decodeTimestamp(base), base).toBeUndefined();
    expect(sizeInName(base), base).toBeUndefined();
    expect(crcInName(base), base).toBeUndefined();
    expect(isTrunkBase(base), base).toBe(false);
  }
});

test("a size beyond exact numbers is unknown", () => {
  const sized = (high: number, low: number): number | undefined =>
    decodeBase(`${encodeThreeWords(1, 2, high)}${encodeTwoWords(low, 3)}0000123`)?.size;
  expect(sized(0x1fffff, 0xffffffff)).toBe(2 ** 53 - 1);
  expect(sized(0x200000, 0)).toBeUndefined();
});

test("a source is a numeric id where its last byte is zero, else an address", () => {
  expect(decodeSource(0xa1860100)).toEqual({ kind: "id", id: "100001" });
  expect(decodeSource(0xffffff00)).toEqual({ kind: "id", id: "16777215" });
  expect(decodeSource(0x0a090002)).toEqual({ kind: "address", address: "10.9.0.2" });
  expect(decodeSource(0)).toEqual({ kind: "address", address: "0.0.0.0" });
  expect(swapBytes(0x01020304)).toBe(0x04030201);
  expect(swapBytes(0x000000ff)).toBe(0xff000000);
});

test("an id is a group and a logical name", () => {
  const id = "group1/M00/00/00/CgkAAmsDkLqERP_MAAAAAAAAAAA1106773";
  const parts = splitFileId(id);
  expect(parts).toEqual({ group: "group1", filename: id.slice(7) });
  expect(formatFileId(GroupName("group1"), id.slice(7))).toBe(id);
  for (const text of ["", "group1", "group1/", "/M00/00/00/x", "gro-up/M00/00/00/x", "../x/y"]) {
    expect(splitFileId(text), text).toBeUndefined();
  }
});
