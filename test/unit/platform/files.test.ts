import { expect, test } from "vitest";
import { FileError } from "#platform/files.ts";

test("a failed file call names its errno and its path", () => {
  const error = new FileError("ENOSPC", "the disk is full", "/srv/a");
  expect(error).toBeInstanceOf(Error);
  expect({ ...error, message: error.message }).toEqual({
    name: "FileError",
    code: "ENOSPC",
    path: "/srv/a",
    message: "the disk is full",
  });
});
