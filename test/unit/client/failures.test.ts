/** What failures mean and how they are told. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { describeFailure, failureOf, outcomeUnknown } from "#client/failures.ts";
import { netError } from "#net/errors.ts";
import { WireStatusError } from "#protocol/wire-status.ts";

const where = { action: "delete a file", server: { address: "10.0.0.1", port: 23000 } };

test("failures of an exchange are told from everything else", () => {
  expect(failureOf(new WireStatusError(2, ""))).toEqual({ kind: "status", status: 2 });
  expect(failureOf(netError("peer-unreachable", ""))).toEqual({ kind: "unreachable" });
  expect(failureOf(netError("peer-silent", ""))).toEqual({ kind: "broken", misbehaved: false });
  expect(failureOf(netError("peer-misbehaved", ""))).toEqual({ kind: "broken", misbehaved: true });
  expect(failureOf(netError("client-closed", ""))).toBeUndefined();
  expect(failureOf(new Error("mine"))).toBeUndefined();
});

test.each([
  [1, "not-allowed"],
  [2, "file-missing"],
  [4, "server-busy"],
  [5, "server-failed"],
  [17, "file-exists"],
  [22, "refused"],
  [28, "no-space"],
  [30, "not-allowed"],
  [77, "server-failed"],
  [111, "server-busy"],
])("status %i is %s", (status, code) => {
  const error = describeFailure(new WireStatusError(status, ""), where) as AppError;
  expect(error).toBeInstanceOf(AppError);
  expect([error.code, error.details]).toEqual([
    code,
    { action: where.action, server: "10.0.0.1:23000", status },
  ]);
  expect(error.message).toContain("cannot delete a file: 10.0.0.1:23000 ");

  expect(describeFailure(error, where)).toBe(error);
});

test("an unreachable server is named with the reason, once", () => {
  const cause = new Error("connect ECONNREFUSED");
  const error = describeFailure(netError("peer-unreachable", "cannot reach x", cause), where);
  expect(String(error)).toBe(
    "AppError: cannot delete a file: 10.0.0.1:23000 cannot be reached: connect ECONNREFUSED",
  );
});

test("only a broken exchange has an unknown outcome", () => {
  const broken = outcomeUnknown(netError("flow-broken", "gone"), where, "look again") as AppError;
  expect(broken.code).toBe("outcome-unknown");
  expect(broken.message).toContain("look again");
  const refused = outcomeUnknown(new WireStatusError(2, ""), where, "look again") as AppError;
  expect(refused.code).toBe("file-missing");
});
