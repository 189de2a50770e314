import { expect, test } from "vitest";
import { trackerAdmin } from "#protocol/fastdfs/tracker-admin.ts";
import { body, decoded, encoded } from "../../../support/wire-bytes.ts";

test("a list of storages may be of one", () => {
  const { request } = trackerAdmin.listStorages;
  expect(decoded(request, body(["group1", 16]))).toEqual({ group: "group1", id: undefined });
  expect(decoded(request, body(["group1", 16], "100001"))).toEqual({
    group: "group1",
    id: "100001",
  });
  expect(() => decoded(request, body(["group1", 16], "1234567890123456"))).toThrow("16 bytes");
  expect(() => decoded(request, body("group1"))).toThrow("missing");
});

test("deleting a storage needs its id, deleting a group nothing more", () => {
  expect(() => decoded(trackerAdmin.deleteStorage.request, body(["group1", 16]))).toThrow(
    "0 bytes",
  );
  expect(() => decoded(trackerAdmin.deleteGroup.request, body(["group1", 16], "x"))).toThrow(
    "17 bytes, not 16",
  );
});

test("a trunk server's id ends with a NUL", () => {
  const { reply } = trackerAdmin.setTrunkServer;
  expect(encoded(reply, { id: "10.9.0.2" as never })).toEqual(body("10.9.0.2\0"));
  expect(decoded(reply, body("10.9.0.2\0"))).toEqual({ id: "10.9.0.2" });
  expect(() => decoded(reply, body("\0"))).toThrow("not a storage id");
});

test("one group is one record, and a leader has a port", () => {
  const { listOneGroup, getLeader } = trackerAdmin;
  for (const length of [0, 226]) {
    const bytes = Buffer.alloc(length, Buffer.from(body(["group1", 113])));
    expect(() => decoded(listOneGroup.reply, bytes)).toThrow("not exactly one group");
  }
  expect(decoded(getLeader.reply, body("[fe80::2]:22122"))).toEqual({
    leader: { address: "fe80::2", port: 22122 },
  });
  expect(() => decoded(getLeader.reply, body("10.9.0.2"))).toThrow("not an address with port");
});
