import { expect, test } from "vitest";
import { findPath, findPathOfRecord, notHere, notHereYet } from "#filestore/named-path.ts";
import type { ServedPath } from "#filestore/served-path.ts";

const paths = [{ index: 0 }, { index: 1 }] as unknown as readonly ServedPath[];
const longest = `M01/00/00/${"a".repeat(117)}`;

test("a name leads to its store path, that of metadata as well where that may be", () => {
  expect(findPath(paths, longest)?.index).toBe(1);
  expect(findPath(paths, `${longest}-m`)).toBeUndefined();
  expect(findPathOfRecord(paths, `${longest}-m`)?.index).toBe(1);
  expect(findPathOfRecord(paths, `${longest}-x`)).toBeUndefined();
  expect(findPathOfRecord(paths, "M02/00/00/aaaaaaaaa")).toBeUndefined();
  expect(findPathOfRecord(paths, "-m")).toBeUndefined();
  expect(notHere("M09/\n").message).toContain("\\n");
});

test("what a peer sends for a store path that is not here may be sent again; what is no name may not", () => {
  expect(notHereYet("M02/00/00/aaaaaaaaa")).toMatchObject({
    code: "store-path-unready",
    message: expect.stringContaining("no store path 2"),
  });
  expect(notHereYet(`${longest}-m`).code).toBe("store-path-unready");
  expect(notHereYet("nowhere").code).toBe("file-invalid");
});
