import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { netError } from "#net/errors.ts";
import { maxSyncContentBytes } from "#protocol/peer/sync-record.ts";
import { exists, isNetError, readingFailed, readRange, readWhole } from "#sync/local-content.ts";
import { MemorySyncStore } from "../../support/memory-sync-store.ts";

test("small files are read with their CRC-32, large ones only measured, missing ones told", async () => {
  const store = new MemorySyncStore();
  const small = store.upload(Buffer.from("hello"));
  const large = store.upload(Buffer.alloc(maxSyncContentBytes + 1));
  expect(await readWhole(store, small, true)).toMatchObject({ kind: "small", crc32: 0x3610a686 });
  expect(await readWhole(store, large, true)).toMatchObject({ kind: "large" });
  expect(await readWhole(store, `${small.slice(0, -1)}9`, true)).toEqual({ kind: "missing" });
  expect(await exists(store, small)).toBe(true);
});

test("content that does not fit its name is trouble, unless the name is a link's", async () => {
  const store = new MemorySyncStore();
  const name = store.upload(Buffer.from("hello"));
  const file = store.files.get(name);
  if (file !== undefined) file.bytes = Buffer.from("hellO");
  expect(await readWhole(store, name, true)).toMatchObject({
    kind: "trouble",
    outcome: { kind: "failed", unreadable: true },
  });
  expect(await readWhole(store, name, false)).toMatchObject({ kind: "small" });
});

test("a range that the file does not have any more needs no sending", async () => {
  const store = new MemorySyncStore();
  const name = store.upload(Buffer.from("hello"), "appender");
  expect(await readRange(store, name, { offset: 1, length: 3 })).toMatchObject({
    bytes: Buffer.from("ell"),
  });
  expect(await readRange(store, name, { offset: 3, length: 9 })).toEqual({ kind: "missing" });
});

test("a path that is away is waited for, a disk that fails is the file's trouble, and mistakes are no such thing", () => {
  expect(readingFailed(fileStoreError("store-path-offline", ""))).toMatchObject({
    outcome: { kind: "later" },
  });
  expect(readingFailed(fileStoreError("disk-failed", ""))).toMatchObject({
    outcome: { kind: "failed" },
  });
  expect(readingFailed(fileStoreError("file-missing", ""))).toEqual({ kind: "missing" });
  expect(() => readingFailed(new TypeError("ours"))).toThrow("ours");
  expect(isNetError(netError("peer-silent", ""))).toBe(true);
  expect(isNetError(fileStoreError("disk-failed", ""))).toBe(false);
});
