import { expect, test } from "vitest";
import { narrowAddresses } from "#protocol/codec.ts";
import { storageSync } from "#protocol/fastdfs/storage-sync.ts";
import { body, decoded } from "../../../support/wire-bytes.ts";

const name = "M00/00/00/CgkAAmsDkLqERP_MAAAAAAAAAAA1106773";
const group = ["group1", 16] as const;

test("content follows a created file unless the header says that the receiver has it", () => {
  const bytes = body({ i64: name.length }, { i64: 9 }, { i32: 5 }, group, name);
  const { syncCreateFile } = storageSync;
  const fresh = decoded(syncCreateFile.request, bytes);
  expect(fresh).toEqual({
    headerStatus: 0,
    fileSize: 9,
    timestamp: 5,
    group: "group1",
    filename: name,
  });
  expect(syncCreateFile.payloadSize(fresh)).toBe(9);
  const known = decoded(syncCreateFile.request, bytes, { ...narrowAddresses, requestStatus: 17 });
  expect(syncCreateFile.payloadSize(known)).toBe(0);
  expect(syncCreateFile.statusOfRequest?.(known)).toBe(17);
});

test("garbage of a C sender behind the group's NUL is ignored", () => {
  const field = "group1\0\x7e\0\0\x5c\xff\x821kU";
  const bytes = body({ i64: 4 }, { i64: 0 }, { i64: 2 }, { i32: 5 }, field, "name");
  expect(decoded(storageSync.syncAppendFile.request, bytes)).toMatchObject({
    group: "group1",
    filename: "name",
  });
});

test("a timestamp of the second half of the century is not negative", () => {
  const bytes = body({ i32: 2 ** 32 - 2 }, group, name);
  expect(decoded(storageSync.syncDeleteFile.request, bytes).timestamp).toBe(2 ** 32 - 2);
});

test("the echo that C sends after a rename is dropped", () => {
  expect(decoded(storageSync.syncRenameFile.reply, body("anything"))).toBeUndefined();
  expect(() => decoded(storageSync.syncCreateLink.reply, body("anything"))).toThrow("too many");
});

test("a sender without id, and names beyond 127 bytes, are refused", () => {
  expect(() => decoded(storageSync.reportServerId.request, body(["", 16]))).toThrow(
    "not a storage id",
  );
  const long = body({ i64: 128 }, { i64: 1 }, { i32: 5 }, group, "n".repeat(129));
  expect(() => decoded(storageSync.syncCreateLink.request, long)).toThrow("128 bytes");
});
