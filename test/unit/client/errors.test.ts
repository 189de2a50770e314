/** Errors of the client library. */
import { expect, test } from "vitest";
import { AppError, hasCode } from "#base/app-error.ts";
import { clientError } from "#client/errors.ts";

test("an error has code, message, cause and details", () => {
  const cause = new Error("why");
  const error = clientError("no-space", "full", { cause, details: { status: 28 } });
  expect(error).toBeInstanceOf(AppError);
  expect([hasCode(error, "no-space"), error.message, error.cause, error.details]).toEqual([
    true,
    "full",
    cause,
    { status: 28 },
  ]);
});
