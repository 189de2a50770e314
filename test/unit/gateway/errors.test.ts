/** Refusals of the gateway. */
import { expect, test } from "vitest";
import { gatewayError } from "#gateway/errors.ts";

test("a refusal carries its code and what belongs to it", () => {
  const error = gatewayError("range-unsatisfiable", "none", { sizeBytes: 5 });
  expect([error.code, error.message, error.details]).toEqual([
    "range-unsatisfiable",
    "none",
    { sizeBytes: 5 },
  ]);
});
