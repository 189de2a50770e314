import fc from "fast-check";
import { expect, test } from "vitest";
import { narrowAddresses, WireReader, WireWriter } from "#protocol/codec.ts";
import {
  fetchedHead,
  fetchedHeadBytes,
  maxSyncContentBytes,
  type SyncRecord,
  syncRecord,
  syncRecordHeadBytes,
} from "#protocol/peer/sync-record.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

function encoded(record: SyncRecord): Buffer {
  const writer = new WireWriter();
  syncRecord.encode(record, writer, narrowAddresses);
  return Buffer.from(writer.bytes());
}

function read(bytes: Uint8Array): SyncRecord {
  return syncRecord.decode(new WireReader(bytes), narrowAddresses);
}

const example: SyncRecord = {
  kind: "create",
  timestamp: 1_795_395_770,
  name: "M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt",
  other: "",
  first: 0,
  second: 0,
  crc32: 0x3610a686,
  content: Buffer.from("hello"),
};

const records = fc.record({
  kind: fc.constantFrom<SyncRecord["kind"]>(
    ...(["create", "replace", "delete", "append"] as const),
    ...(["modify", "truncate", "link", "rename", "find"] as const),
  ),
  timestamp: fc.nat(0xffffffff),
  name: fc.string({ minLength: 1, maxLength: 60 }),
  other: fc.string({ maxLength: 60 }),
  first: fc.nat({ max: 2 ** 53 - 1 }),
  second: fc.nat({ max: 2 ** 53 - 1 }),
  crc32: fc.nat(0xffffffff),
  content: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
});

test("a record comes back as it was", () => {
  fc.assert(
    fc.property(records, (record) => {
      expect(read(encoded(record))).toEqual(record);
    }),
  );
});

test("a record has a head of known length, its names and its content", () => {
  expect(encoded(example).length).toBe(syncRecordHeadBytes + example.name.length + 5);
});

test("a cut record, an unknown kind, no name, and too much content are refused", () => {
  const bytes = encoded(example);
  for (let length = 0; length < bytes.length; length += 1) {
    expect(() => read(bytes.subarray(0, length))).toThrow(ProtocolError);
  }
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = value;
    return copy;
  };
  for (let at = 0; at < bytes.length - 5; at += 1) {
    expect(() => read(changed(at, (bytes[at] ?? 0) ^ 1))).toThrow(ProtocolError);
  }
  expect(() => read(changed(0, 0))).toThrow(ProtocolError);
  expect(() => read(changed(0, 9))).toThrow(ProtocolError);
  expect(() => read(changed(1, 0))).toThrow(ProtocolError);
  expect(() => read(changed(28, 0x7f))).toThrow(ProtocolError);
  expect(() => read(changed(8, 0xff))).toThrow(ProtocolError);
  const large = { ...example, content: Buffer.alloc(maxSyncContentBytes + 1) };
  expect(() => encoded(large)).toThrow(ProtocolError);
});

test("bytes that nobody wrote are refused or read, and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      try {
        read(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
  );
});

test("the head of a fetched file says its time, and the CRC-32 where the name has none", () => {
  for (const crc32 of [undefined, 0xfedcba98]) {
    const writer = new WireWriter();
    fetchedHead.encode({ modifiedSeconds: 0xf0000000, crc32 }, writer, narrowAddresses);
    expect(writer.length).toBe(fetchedHeadBytes);
    const head = fetchedHead.decode(new WireReader(writer.bytes()), narrowAddresses);
    expect(head).toEqual({ modifiedSeconds: 0xf0000000, crc32 });
  }
});
