/** What crosses from a worker when something fails. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { failureOf } from "#filestore/worker/failure.ts";
import { FileError } from "#platform/files.ts";

test("foreseen failures keep their code, text and errno", () => {
  const error = fileStoreError("disk-failed", "cannot flush", { details: { errno: "EIO" } });
  expect(failureOf(error)).toEqual({ code: "disk-failed", message: "cannot flush", errno: "EIO" });
  expect(failureOf(fileStoreError("file-missing", "none")).errno).toBe("");
});

test("bare failures of the file system are told by what they mean", () => {
  const codeOf = (errno: string): string => failureOf(new FileError(errno, "x")).code;
  expect(["ENOENT", "ENOSPC", "EDQUOT", "EIO", "EROFS"].map(codeOf)).toEqual([
    "file-missing",
    "store-full",
    "store-full",
    "disk-failed",
    "disk-failed",
  ]);
});

test("long texts are cut to what a record holds", () => {
  expect(failureOf(fileStoreError("file-invalid", "x".repeat(5000))).message.length).toBe(121);
});

test("mistakes of ours are no failures of a request", () => {
  expect(() => failureOf(new TypeError("bug"))).toThrow(TypeError);
});
