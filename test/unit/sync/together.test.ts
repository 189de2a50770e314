import { expect, test } from "vitest";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import { maxSyncBatchBytes, syncRecords } from "#protocol/peer/sync-record.ts";
import type { PushedRecord } from "#sync/push.ts";
import { readTogether } from "#sync/together.ts";
import { MemorySyncStore } from "../../support/memory-sync-store.ts";

function recordOf(line: string, how: Partial<PushedRecord> = {}): PushedRecord {
  const entry = decodeEntry(line);
  if (entry === undefined) throw new Error(line);
  return { entry, line, whole: undefined, tries: 0, wasAside: false, ...how };
}

test("small files that never change are read together, and nothing else", async () => {
  const store = new MemorySyncStore();
  const one = store.upload(Buffer.from("one"));
  store.upload(Buffer.from("grows"), "appender");
  const rotten = store.upload(Buffer.from("rotten"));
  store.setMetadata(one, "a\u0002b");
  const two = store.upload(Buffer.from("two"));
  store.remove(store.upload(Buffer.from("gone")));
  store.upload(Buffer.alloc(300_000));
  store.files.set(rotten, { bytes: Buffer.from("roTten"), modifiedSeconds: 1 });
  const records = store.lines.map((line) => recordOf(line));
  const batch = await readTogether(store, records);
  expect([...batch.files.values()]).toEqual([
    { name: one, bytes: 3 },
    { name: two, bytes: 3 },
  ]);
  const found = syncRecords(batch.bytes, 2);
  expect(found.map(({ kind, name, content }) => [kind, name, String(content)])).toEqual([
    ["create", one, "one"],
    ["create", two, "two"],
  ]);
  const [line = ""] = store.lines;
  const others = [recordOf(line, { tries: 1 }), recordOf(line, { whole: "replace" })];
  expect((await readTogether(store, others)).files.size).toBe(0);
});

test("further records join as long as there is room for them", async () => {
  const store = new MemorySyncStore();
  store.upload(Buffer.from("one"));
  const batch = await readTogether(
    store,
    store.lines.map((line) => recordOf(line)),
  );
  const before = Buffer.from(batch.bytes);
  expect(batch.join(Buffer.alloc(60, 7))).toBe(true);
  expect(Buffer.from(batch.bytes)).toEqual(Buffer.concat([before, Buffer.alloc(60, 7)]));
  expect(batch.join(Buffer.alloc(60, 7))).toBe(false);
  expect(batch.join(Buffer.alloc(maxSyncBatchBytes))).toBe(false);
  batch.release();
});

test("where nothing can be read in this way everything is left for one by one", async () => {
  const store = new MemorySyncStore();
  store.upload(Buffer.from("one"));
  store.trouble = new Error("the path is away");
  const batch = await readTogether(
    store,
    store.lines.map((line) => recordOf(line)),
  );
  expect([batch.files.size, batch.bytes.length, batch.join(Buffer.alloc(1))]).toEqual([
    0,
    0,
    false,
  ]);
  batch.release();
});
