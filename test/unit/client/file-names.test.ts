/** File ids and other words of the caller, before anything is asked. */
import { expect, test } from "vitest";
import {
  checkedBytes,
  checkedExtension,
  checkedGroup,
  checkedMetadata,
  checkedPrefix,
  crc32ByName,
  extensionOfPath,
  knownFile,
} from "#client/file-names.ts";

const normal = "group1/M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
const appender = "group1/M00/00/00/CgkAAmsDkLqEaconAAAAADUkQcI579.log";
const slave = "group1/M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711_150x150.jpg";
const trunk = "group1/M00/00/00/CgkAAmsDkLqIH5yJAAAAET4JJJwAAAAAQAAAAAAAAEA362.txt";

test("an id is taken apart", () => {
  expect(knownFile(normal)).toMatchObject({
    fileId: normal,
    group: "group1",
    filename: "M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin",
    decoded: { size: 2097152, crc32: 0x17398970, isAppender: false, isSlave: false },
  });
});

test("the CRC-32 is known where the name is that of the content", () => {
  expect([normal, trunk, appender, slave].map((id) => crc32ByName(knownFile(id)))).toEqual([
    0x17398970,
    0x3e09249c,
    undefined,
    undefined,
  ]);
});

test.each([
  "",
  "group1",
  "group1/",
  "no group/M00/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin",
  "group1/M00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin",
  "group1/M00/00/00/../../../../etc/passwd-and-more",
  "group1/M00/00/00/short.bin",
  `group1/M00/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711${"x".repeat(100)}`,
])("%j is no file id", (text) => {
  expect(() => knownFile(text)).toThrow(expect.objectContaining({ code: "file-id-invalid" }));
});

test("extensions, prefixes and groups are checked", () => {
  expect([".jpg", "tar.gz", ""].map(checkedExtension)).toEqual(["jpg", "tar.gz", ""]);
  expect(checkedPrefix("_150x150")).toBe("_150x150");
  expect([checkedGroup("group1"), checkedGroup(undefined)]).toEqual(["group1", undefined]);
  const wrong: readonly (() => unknown)[] = [
    () => checkedExtension("toolong"),
    () => checkedExtension("a/b"),
    () => checkedPrefix(""),
    () => checkedPrefix("x".repeat(17)),
    () => checkedGroup("group-1"),
    () => checkedMetadata([["", "v"]]),
    () => checkedMetadata([["n", "a\x02b"]]),
    () => checkedBytes(-1, "the offset"),
    () => checkedBytes(Number.NaN, "the offset"),
  ];
  for (const check of wrong) {
    expect(check).toThrow(expect.objectContaining({ code: "argument-invalid" }));
  }
});

test("the extension of a path is what FastDFS's tools take", () => {
  const paths = ["a.jpg", "/x.y/b", "c.tar.gz", "d.", "e.toolong", ".profile", "f.JPEG"];
  expect(paths.map(extensionOfPath)).toEqual(["jpg", "", "gz", "", "", "", "JPEG"]);
});
