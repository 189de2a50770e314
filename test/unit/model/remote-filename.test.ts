import { expect, test } from "vitest";
import {
  directoryName,
  formatRemoteFilename,
  maxRemoteFilenameLength,
  parseRemoteFilename,
} from "#model/remote-filename.ts";

const base = "CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";

test("a logical name is a store path, two directories and a base", () => {
  expect(parseRemoteFilename(`M01/0A/FF/${base}`)).toEqual({
    storePathIndex: 1,
    high: 10,
    low: 255,
    base,
  });
  expect(parseRemoteFilename("MFF/00/00/a")).toMatchObject({ storePathIndex: 255, base: "a" });
});

test("a name of a release before 1.12 lies in store path 0", () => {
  const parsed = parseRemoteFilename(`0A/1B/${base}`);
  expect(parsed).toEqual({ storePathIndex: 0, high: 10, low: 27, base });
  expect(parsed && formatRemoteFilename(parsed)).toBe(`M00/0A/1B/${base}`);
});

test("names are written as they were read", () => {
  for (const name of [`M00/00/00/${base}`, `MAB/CD/EF/${base}-m`, "M00/01/02/000012"]) {
    const parsed = parseRemoteFilename(name);
    expect(parsed && formatRemoteFilename(parsed)).toBe(name);
  }
  expect([0, 15, 16, 255].map(directoryName)).toEqual(["00", "0F", "10", "FF"]);
});

test("what could leave the store path is no name", () => {
  const bad = [
    ...["M00/00/00/..", "M00/00/00/.", "M00/00/../x1234", "M00/../00/x1234", "../../../etc/passwd"],
    ...[
      "M00/00/00/a/b",
      "M00/00/00/../../x",
      "/etc/passwd/x",
      "M00/00/00//etc",
      "M00\\00\\00\\abc",
    ],
    ...["M00/00/00/a\0b", "M00/00/00/a\nb", "M00/00/00/a b", "M00/00/00/\x7f", "M00/00/00/aüb"],
  ];
  for (const name of bad) expect(parseRemoteFilename(name), name).toBeUndefined();
});

test("what is malformed is no name", () => {
  const bad = [
    ...["", "M", "M00/00/00/", "M00/00/00", "M00/0/00/abcde", "M0/00/00/abcde", "M0G/00/00/abcde"],
    ...["m00/00/00/abcde", "M00/0a/00/abcde", "M00/00/0g/abcde", "M000/00/00/abcde", "00/00/abcd"],
    ...["M-1/00/00/abcde", "M 1/00/00/abcde", "G0/00/abcdefgh", "group1/M00/00/00/abcde"],
  ];
  for (const name of bad) expect(parseRemoteFilename(name), name).toBeUndefined();
});

test("dots inside of a base are harmless", () => {
  for (const last of ["...", "..a", ".a", "a..", "a..b", `${base}.tar.gz`]) {
    expect(parseRemoteFilename(`M00/00/00/${last}`)?.base).toBe(last);
  }
});

test("a name has at most 127 characters", () => {
  const longest = `M00/00/00/${"a".repeat(maxRemoteFilenameLength - 10)}`;
  expect(parseRemoteFilename(longest)).toBeDefined();
  expect(parseRemoteFilename(`${longest}a`)).toBeUndefined();
});
