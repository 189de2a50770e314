/** Exit codes by what went wrong. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { exitCodeOf } from "#daemon/shutdown.ts";
import { FileError } from "#platform/files.ts";

test("settings that are wrong are for a person, a busy disk is for another try", () => {
  const code = (name: string) => exitCodeOf(new AppError(name, "why"));
  expect(code("config-invalid")).toBe(78);
  expect(code("store-path-busy")).toBe(75);
  expect(code("disk-failed")).toBe(74);
  expect(code("never-heard-of")).toBe(1);
});

test("the system's errors have theirs, also below one that explains them", () => {
  const taken = Object.assign(new Error("listen"), { code: "EADDRINUSE" });
  expect(exitCodeOf(taken)).toBe(69);
  expect(exitCodeOf(new AppError("listen-failed", "why", { cause: taken }))).toBe(69);
  expect(exitCodeOf(new FileError("ENOSPC", "full", "/data"))).toBe(73);
  expect(exitCodeOf(new Error("bug"))).toBe(1);
  expect(exitCodeOf(undefined)).toBe(1);
});
