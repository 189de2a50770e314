import { constants } from "node:os";
import { expect, test } from "vitest";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";

test("the numbers are Linux's", () => {
  const { errno } = constants;
  const { notFound, exists, invalid, noSpace, notSupported, alreadyDone, busy } = wireStatus;
  expect([notFound, exists, invalid, noSpace, busy]).toEqual([2, 17, 22, 28, 16]);
  expect([notSupported, alreadyDone]).toEqual([95, 114]);
  expect([errno.ENOENT, errno.EEXIST, errno.EINVAL]).toEqual([notFound, exists, invalid]);
});

test("an error carries its status", () => {
  expect(new WireStatusError(wireStatus.notFound, "gone")).toMatchObject({
    status: 2,
    message: "gone",
  });
});
