import { expect, test } from "vitest";
import { AppError, describeError, hasCode } from "#base/app-error.ts";

test("an error carries its code, its message, its cause and its details", () => {
  const cause = new Error("no space left");
  const error = new AppError("disk-full", "the disk is full; delete something", {
    cause,
    details: { path: "/srv" },
  });
  expect(error).toBeInstanceOf(Error);
  expect({ ...error, message: error.message, cause: error.cause }).toEqual({
    name: "AppError",
    code: "disk-full",
    details: { path: "/srv" },
    message: "the disk is full; delete something",
    cause,
  });
  expect("cause" in new AppError("a", "b")).toBe(false);
});

test("only an error of ours with that code has the code", () => {
  expect(hasCode(new AppError("a", "x"), "a")).toBe(true);
  expect(hasCode(new AppError("b", "x"), "a")).toBe(false);
  expect(hasCode(Object.assign(new Error("x"), { code: "a" }), "a")).toBe(false);
  expect(hasCode(undefined, "a")).toBe(false);
});

test("anything that was thrown has a text, with the causes behind it", () => {
  const deep = new Error("top", { cause: new Error("middle", { cause: "bottom" }) });
  expect(describeError(deep)).toBe("top (middle (bottom))");
  expect([describeError("text"), describeError(undefined)]).toEqual(["text", "undefined"]);
});
