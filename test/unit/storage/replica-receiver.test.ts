import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { flowOfBytes } from "#net/byte-flow.ts";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { type SyncRecord, syncRecord } from "#protocol/peer/sync-record.ts";
import { SyncPair, senderId } from "../../support/sync-pair.ts";

const normal = "M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt";
const record: SyncRecord = {
  ...({ kind: "create", timestamp: 50, name: normal, other: "" } as const),
  ...{ first: 0, second: 0, crc32: 0x3610a686, content: Buffer.from("hello") },
};

test("each record has a status of its own", async () => {
  const { receiver } = new SyncPair();
  const apply = (change: Partial<SyncRecord>) => receiver.apply({ ...record, ...change }, senderId);
  expect(await apply({ crc32: 1 })).toBe(74);
  expect(await apply({})).toBe(0);
  expect(await apply({})).toBe(17);
  expect(await apply({ kind: "append", first: 9 })).toBe(116);
  expect(await apply({ kind: "append", first: 5, crc32: 1 })).toBe(74);
  expect(await apply({ kind: "truncate", name: `${normal}9` })).toBe(2);
  expect(await apply({ kind: "delete" })).toBe(0);
  expect(await apply({ kind: "delete" })).toBe(2);
});

test("where a disk was lost a part of a file is not put into what may be another version of it", async () => {
  const pair = new SyncPair();
  const apply = (change: Partial<SyncRecord>) =>
    pair.receiver.apply({ ...record, ...change }, senderId);
  expect(await apply({})).toBe(0);
  pair.isOutdated = true;
  for (const kind of ["append", "modify", "truncate"] as const) {
    expect(await apply({ kind, first: 5 })).toBe(116);
  }
  expect(await apply({ kind: "create", name: normal.replace("625", "626") })).toBe(0);
  expect(pair.to.files.get(normal)?.bytes.toString()).toBe("hello");
});

test("versions of a file have met where it comes as a whole, or a later one is here", async () => {
  const { receiver, to, contested } = new SyncPair();
  const apply = (change: Partial<SyncRecord>) => receiver.apply({ ...record, ...change }, senderId);
  expect(await apply({})).toBe(0);
  expect(contested).toEqual([]);
  const other = { crc32: 0xeca3ed8f, content: Buffer.from("other"), timestamp: 60 };
  const stored = async ({ mode }: { readonly mode: string }) =>
    mode === "replace" ? "done" : "later";
  Object.assign(to, { storeReplica: stored });
  await apply({ ...other, kind: "replace" });
  // Noted before it is stored, and again when it is.
  expect(contested.splice(0)).toEqual([normal, normal]);
  await apply({ ...other, kind: "create" });
  expect(contested.splice(0)).toEqual([normal]);
  Object.assign(to, { storeReplica: async () => "already" });
  await apply({ ...other, kind: "replace" });
  expect(contested).toEqual([normal]);
});

test("records that a batch leaves out are carried out one by one, and all are counted", async () => {
  const { receiver, to } = new SyncPair();
  const writer = new WireWriter();
  const removed = { ...record, kind: "delete", crc32: 0, content: Buffer.alloc(0) } as const;
  const later = { ...record, name: normal.replace("625", "626"), timestamp: 70 };
  for (const one of [later, record, removed]) syncRecord.encode(one, writer, narrowAddresses);
  const bytes = Buffer.from(writer.bytes());
  const room = Buffer.alloc(bytes.length);
  let released = 0;
  // The worker takes the first two, and finds the second one there.
  Object.assign(to, {
    receiveBatch: () => ({
      bytes: room,
      store: async () => ({ outcomes: ["done", "already", undefined], latest: 70, bytes: 10 }),
      release: () => {
        released += 1;
      },
    }),
  });
  expect(await receiver.applyBatch(3, flowOfBytes(bytes), senderId)).toEqual([0, 17, 2]);
  expect([receiver.changes, receiver.received.get(senderId), released]).toEqual([2, 70, 1]);
  await expect(receiver.applyBatch(4, flowOfBytes(bytes), senderId)).rejects.toThrow("missing");
  expect(released).toBe(2);
});

test("what was deleted here does not come back under its name, whoever sends it", async () => {
  const { receiver, to } = new SyncPair();
  await receiver.remove({ name: normal, timestamp: 60 });
  expect(await receiver.apply(record, senderId)).toBe(17);
  const file = { name: normal, timestamp: 50, mode: "create", crc32: undefined } as const;
  expect(await receiver.whole(file, flowOfBytes(Buffer.from("hello")))).toBe("already");
  expect(to.files.size).toBe(0);
});

test("a name that was given up for another one does not come back with changes that come late", async () => {
  const { receiver, to } = new SyncPair();
  const old = "M00/00/00/CgkAAmsDoW-Ea8rXAAAAANYQpoY625.txt";
  expect(await receiver.apply({ ...record, name: old }, senderId)).toBe(0);
  await receiver.apply({ ...record, kind: "rename", other: old }, senderId);
  expect(await receiver.apply({ ...record, kind: "replace", name: old }, senderId)).toBe(17);
  expect(to.files.has(old)).toBe(false);
});

test("whoever asks whether a file is here is told so of whole ones, and of those that were deleted here", async () => {
  const { receiver, to } = new SyncPair();
  const find = () => receiver.apply({ ...record, kind: "find", crc32: 0 }, senderId);
  expect(await find()).toBe(2);
  expect(receiver.changes).toBe(0);
  await receiver.apply(record, senderId);
  expect(await find()).toBe(17);
  to.files.set(normal, { bytes: Buffer.from("hell"), modifiedSeconds: 50 });
  expect(await find()).toBe(2);
  await receiver.remove({ name: normal, timestamp: 60 });
  expect(await find()).toBe(17);
});

test("the latest time of each sender is noted, also under its new name", () => {
  const { receiver } = new SyncPair();
  receiver.note(senderId, 50);
  const { revision } = receiver;
  receiver.note(senderId, 40);
  receiver.note(undefined, 90);
  expect(receiver.revision).toBe(revision);
  receiver.rename(senderId, StorageId("10.0.0.8"));
  expect([...receiver.received]).toEqual([["10.0.0.8", 50]]);
  expect(receiver.changes).toBe(3);
});
