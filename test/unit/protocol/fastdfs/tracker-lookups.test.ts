import { expect, test } from "vitest";
import { trackerLookups } from "#protocol/fastdfs/tracker-lookups.ts";
import { body, decoded, encoded } from "../../../support/wire-bytes.ts";

test("parameters keep their order, and values may contain equal signs", () => {
  const { reply } = trackerLookups.requestParameters;
  const parameters = [
    ["use_storage_id", "0"],
    ["b", ""],
    ["a", "x=y"],
  ] as const;
  expect(encoded(reply, { parameters })).toEqual(body("use_storage_id=0\nb=\na=x=y\n"));
  expect(decoded(reply, body("use_storage_id=0\nb=\na=x=y\n"))).toEqual({ parameters });
  for (const text of ["=x\n", "novalue\n", "a=b"])
    expect(() => decoded(reply, body(text))).toThrow("line");
});

test("a storage asks for its address with its port since 6.16", () => {
  const { request, reply } = trackerLookups.getMyIp;
  expect(decoded(request, body(["group1", 17], { i32: 23000 }))).toEqual({
    group: "group1",
    port: 23000,
  });
  expect(decoded(request, body(["group1", 16]))).toEqual({ group: "group1", port: undefined });
  expect(() => decoded(request, body(["group1", 18]))).toThrow("missing");
  expect(decoded(reply, body("10.9.0.3,192.168.9.3"))).toEqual({
    addresses: ["10.9.0.3", "192.168.9.3"],
  });
});

test("a page of storage ids has as many lines as it says", () => {
  const { request, reply } = trackerLookups.fetchStorageIds;
  const line = "7 group1 10.9.0.3,192.168.9.3:23000 rw=read\n";
  const page = decoded(reply, body({ i32: 3 }, { i32: 1 }, line));
  expect(page.totalCount).toBe(3);
  expect(page.entries).toHaveLength(1);
  expect(encoded(reply, page)).toEqual(body({ i32: 3 }, { i32: 1 }, line));
  expect(() => decoded(reply, body({ i32: 3 }, { i32: 2 }, line))).toThrow("1 lines, 2 announced");
  expect(() => decoded(reply, body({ i32: 0 }, { i32: 1 }, line))).toThrow("1 lines, 1 announced");
  expect(() => decoded(reply, body({ i32: 1 }, { i32: 1 }, "7 group1\n"))).toThrow(
    "not understood",
  );
  expect(decoded(reply, body({ i32: 0 }, { i32: 0 }))).toEqual({ totalCount: 0, entries: [] });
  expect(decoded(request, body({ i32: 5 }))).toEqual({ startIndex: 5, allowEmpty: undefined });
});

test("the group of a storage is asked by port, or address and port", () => {
  const { request } = trackerLookups.getGroupName;
  expect(decoded(request, body({ i32: 23000 }))).toEqual({ address: undefined, port: 23000 });
  expect(decoded(request, body("10.9.0.2", { i32: 23000 }))).toEqual({
    address: "10.9.0.2",
    port: 23000,
  });
  expect(() => decoded(request, body(1, 2, 3))).toThrow("missing");
});

test("a storage is looked up by address with port", () => {
  const { request, reply } = trackerLookups.getStorageId;
  const asked = decoded(request, body(["group1", 16], "10.9.0.2:23000"));
  expect(asked).toEqual({ group: "group1", server: { address: "10.9.0.2", port: 23000 } });
  expect(() => decoded(request, body(["group1", 16], "10.9.0.2"))).toThrow(
    "not an address with port",
  );
  expect(() => decoded(request, body(["group1", 16]))).toThrow("0 bytes");
  expect(() => decoded(reply, body("a/b"))).toThrow("not a storage id");
});
