import { expect, test } from "vitest";
import { WireReader, WireWriter } from "#protocol/codec.ts";
import {
  endpointField,
  endpointText,
  groupName,
  groupText,
  lines,
  optionalStorageId,
  port,
  readGroupName,
  status,
  storageBrief,
  storageId,
  trunkLocation,
  version,
  widthByLength,
  writeAddress,
} from "#protocol/fields.ts";
import { body, decoded, encoded } from "../../support/wire-bytes.ts";

const invalid = expect.objectContaining({ name: "ProtocolError", reason: "invalid" });

test("a group that somebody asks for may be any text, one that exists may not", () => {
  expect(decoded(groupText, body(["no_such", 16]))).toBe("no_such");
  expect(decoded(groupText, body(["", 16]))).toBe("");
  expect(() => decoded(groupName(16), body(["no_such", 16]))).toThrow(invalid);
  expect(decoded(groupName(17), body(["group1", 17]))).toBe("group1");
  expect(() => readGroupName(new WireReader(body(["", 16])))).toThrow(invalid);
});

test("garbage behind the NUL of a field is ignored", () => {
  expect(decoded(groupName(16), body("group1\0\x7e\0\0gar\xffage!", ["", 0]).subarray(0, 16))).toBe(
    "group1",
  );
});

test("a storage id is there, or an empty field", () => {
  expect(decoded(storageId, body(["10.9.0.2", 16]))).toBe("10.9.0.2");
  expect(() => decoded(storageId, body(["", 16]))).toThrow(invalid);
  expect(decoded(optionalStorageId, body(["", 16]))).toBeUndefined();
  expect(encoded(optionalStorageId, undefined)).toEqual(Buffer.alloc(16));
  expect(() => decoded(optionalStorageId, body(["a/b", 16]))).toThrow(invalid);
});

test("ports, statuses and endpoints are checked", () => {
  expect(decoded(port, body({ i64: 65535 }))).toBe(65535);
  for (const value of [0, -1, 65536])
    expect(() => decoded(port, body({ i64: value }))).toThrow(invalid);
  expect(decoded(status, body(99))).toBe(99);
  expect(() => decoded(status, body(8))).toThrow(invalid);
  expect(decoded(endpointText, body("[fe80::2]:23000"))).toEqual({
    address: "fe80::2",
    port: 23000,
  });
  expect(() => decoded(endpointText, body("10.9.0.2"))).toThrow(invalid);
  expect(encoded(endpointField, { address: "10.9.0.2", port: 1 })).toEqual(
    body(["10.9.0.2:1", 52]),
  );
});

test("an address that does not fit is not cut off", () => {
  const writer = new WireWriter();
  expect(() => writeAddress(writer, "2001:db8::3:4:5:6", 15)).toThrow(invalid);
  writeAddress(writer, "192.168.100.200", 15);
  expect(writer.bytes().toString()).toBe("192.168.100.200");
});

test("the length of a reply tells the width of its address", () => {
  const lengths = { narrow: 40, wide: 70 };
  expect([widthByLength(40, lengths), widthByLength(70, lengths)]).toEqual([16, 46]);
  expect(() => widthByLength(41, lengths)).toThrow(invalid);
});

test("a storage's brief has 67 bytes, a trunk slot 15", () => {
  const brief = { status: 7, port: 23000, id: "100001", address: "fe80::2" } as never;
  const bytes = body(7, { i32: 23000 }, ["100001", 16], ["fe80::2", 46]);
  expect(bytes).toHaveLength(67);
  expect(encoded(storageBrief, brief)).toEqual(bytes);
  const slot = { storePathIndex: 1, high: 2, low: 3, fileId: 4, offset: 0xffffff00, size: 256 };
  expect(encoded(trunkLocation, slot)).toHaveLength(15);
  expect(decoded(trunkLocation, encoded(trunkLocation, slot))).toEqual(slot);
});

test("lines end with a line feed, also the last", () => {
  const words = lines({
    parse: (line) => (line === "bad" ? undefined : line),
    format: (line: string) => line,
  });
  expect(decoded(words, body("a\nb\n"))).toEqual(["a", "b"]);
  expect(decoded(words, body(""))).toEqual([]);
  expect(encoded(words, ["a", "b"])).toEqual(body("a\nb\n"));
  expect(() => decoded(words, body("a\nb"))).toThrow("the last line has no end");
  expect(() => decoded(words, body("a\nbad\n"))).toThrow('line "bad" is not understood');
});

test("a version of foreign bytes still fits where it is passed on", () => {
  const read = decoded(version, Buffer.from("362e31362e31ff01", "hex"));
  expect(read).toBe("6.16.1??");
  expect(encoded(version, read)).toEqual(body("6.16.1??"));
});
