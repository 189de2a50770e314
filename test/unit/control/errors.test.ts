/** Errors of the control protocol. */
import { expect, test } from "vitest";
import { controlError } from "#control/errors.ts";

test("a cause is kept, and none is made up", () => {
  const cause = new Error("why");
  expect(controlError("input-invalid", "no", cause)).toMatchObject({
    code: "input-invalid",
    cause,
  });
  expect("cause" in controlError("input-invalid", "no")).toBe(false);
});
