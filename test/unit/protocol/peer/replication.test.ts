import { expect, test } from "vitest";
import { maxHeldSources, syncBatch, syncFile, syncHello } from "#protocol/peer/replication.ts";
import { maxSyncRecords } from "#protocol/peer/sync-record.ts";
import { body, decoded } from "../../../support/wire-bytes.ts";

const entry = body(["10.0.0.3", 16], { i32: 7 });
const disk = "00112233445566778899aabbccddeeff";
const batchHead = body(["group1", 16], ["10.0.0.2", 16], { i32: 5 }, { i32: 0 });

test("a hello names the sender, and its answer what the receiver holds of whom", () => {
  const request = body(["group1", 16], ["10.0.0.2", 16], { i32: 0x6553f1a0 });
  expect(decoded(syncHello.request, request)).toEqual({
    group: "group1",
    id: "10.0.0.2",
    clock: 0x6553f1a0,
  });
  const answerer = body(["10.0.0.4", 16], [disk, 32]);
  expect(decoded(syncHello.reply, Buffer.concat([answerer, entry]))).toEqual({
    ...{ id: "10.0.0.4", disk },
    held: [{ id: "10.0.0.3", heldUntil: 7 }],
  });
});

test("a hello without a sender, and more sources than a group can have, are refused", () => {
  expect(() => decoded(syncHello.request, body(["group1", 16], ["", 16], { i32: 1 }))).toThrow();
  const many = Array.from({ length: maxHeldSources + 1 }, () => entry);
  const reply = Buffer.concat([body(["10.0.0.4", 16], ["", 32]), ...many]);
  expect(() => decoded(syncHello.reply, reply)).toThrow();
});

test("a batch tells how many bytes follow, and is bounded in records and bytes", () => {
  const small = Buffer.concat([batchHead, body({ i32: 2 }, { i32: 100 }, { i32: 0 })]);
  const request = decoded(syncBatch.request, small);
  expect(syncBatch.payloadSize(request)).toBe(100);
  const many = Buffer.concat([
    batchHead,
    body({ i32: maxSyncRecords + 1 }, { i32: 100 }, { i32: 0 }),
  ]);
  expect(() => decoded(syncBatch.request, many)).toThrow();
  const large = Buffer.concat([batchHead, body({ i32: 1 }, { i32: 64 * 1024 * 1024 }, { i32: 0 })]);
  expect(() => decoded(syncBatch.request, large)).toThrow();
});

test("the content of a single file is announced by its size", () => {
  const request = {
    filename: "M00/00/00/abcdefgh",
    fileSize: 2 ** 33,
    timestamp: 1,
    group: "group1",
    id: "10.0.0.2",
    replaces: true,
    hasCrc32: false,
    crc32: 0,
    check: 0,
  } as Parameters<typeof syncFile.payloadSize>[0];
  expect(syncFile.payloadSize(request)).toBe(2 ** 33);
});
