/** How errors become exit codes. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { exitCodeOf, exitCodes, jointExitCode } from "#cli/exit-codes.ts";
import { FileError } from "#platform/files.ts";

test.each([
  [new AppError("usage", ""), 2],
  [new AppError("crc-mismatch", ""), 65],
  [new AppError("file-missing", ""), 66],
  [new AppError("trackers-unreachable", ""), 69],
  [new AppError("outcome-unknown", ""), 76],
  [new AppError("config-invalid", ""), 78],
  [new AppError("something-new", ""), 1],
  [new FileError("ENOENT", ""), 66],
  [new FileError("EEXIST", ""), 73],
  [new FileError("EACCES", ""), 77],
  [new FileError("EPIPE", ""), 141],
  [new FileError("EIO", ""), 74],
  [new TypeError("ours"), 70],
  ["text", 70],
])("%j ends with %i", (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

test("several failures have their code in common, or 1", () => {
  expect([jointExitCode([]), jointExitCode([66]), jointExitCode([66, 66])]).toEqual([0, 66, 66]);
  expect(jointExitCode([66, 69])).toBe(1);
});

test("codes are unique, rising, and do not say the same", () => {
  const entries = Object.values(exitCodes);
  const codes = entries.map((entry) => entry.code);
  expect(codes).toEqual(codes.toSorted((one, other) => one - other));
  expect(new Set(entries.map((entry) => entry.says)).size).toBe(entries.length);
});
