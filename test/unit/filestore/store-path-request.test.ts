import { expect, test } from "vitest";
import { failureFrom, isOwner, recordOf } from "#filestore/store-path-request.ts";
import { request } from "#filestore/worker-messages.ts";

test("what a request leaves out is zero, empty or none", () => {
  const nothing = { flags: 0, block: -1, blockLength: 0, socket: -1, a: 0, b: 0, c: 0 };
  expect(recordOf(7, { kind: 3 })).toEqual({ id: 7, kind: 3, ...nothing, text: "", text2: "" });
  const lease = { descriptor: 12, giveBack: () => {}, breakOff: () => {} };
  const fields = { kind: 3, flags: 1, block: 2, blockLength: 3, a: 4, b: 5, c: 6 };
  const texts = { text: "one", text2: "two" };
  expect(recordOf(8, { ...fields, ...texts, lease })).toEqual({
    ...{ id: 8, ...fields, ...texts, socket: 12 },
  });
});

test("a failure keeps code, message and errno", () => {
  const record = { ...recordOf(1, { kind: 1 }), text: "disk-failed", text2: "EIO\0it failed" };
  const details = { errno: "EIO" };
  expect(failureFrom(record)).toMatchObject({ code: "disk-failed", message: "it failed", details });
  expect(failureFrom({ ...record, text2: "\0it failed" }).details).toEqual({});
});

test("what the path's owner asks is told from what clients ask", () => {
  const owned = [request.space, request.check, request.close];
  expect(Object.values(request).filter(isOwner).sort()).toEqual(owned.sort());
});
