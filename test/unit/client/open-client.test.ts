/** The client package's entry; that it reaches servers is shown end to end. */
import { expect, test } from "vitest";
import { AppError, openClient } from "#client/open-client.ts";

function refusal(trackers: readonly string[]): unknown {
  try {
    openClient({ trackers }).close();
    return undefined;
  } catch (error) {
    return error instanceof AppError ? error.code : error;
  }
}

test("addresses are taken with and without a port, in every family", () => {
  expect(refusal(["10.0.0.5:22122", "10.0.0.5", "[fe80::2]:22122", "tracker.example"])).toBe(
    undefined,
  );
});

test("no address and a wrong one are refused before anything connects", () => {
  expect([refusal([]), refusal(["10.0.0.5:port"]), refusal(["10.0.0.5", ""])]).toEqual(
    Array(3).fill("argument-invalid"),
  );
});
