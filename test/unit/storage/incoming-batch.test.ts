import { expect, test } from "vitest";
import { narrowAddresses, WireWriter } from "#protocol/codec.ts";
import { syncRecord } from "#protocol/peer/sync-record.ts";
import { IncomingBatch } from "#storage/incoming-batch.ts";

function batchOf(name: string): Buffer {
  const writer = new WireWriter();
  const fields = { kind: "create", timestamp: 5, other: "", first: 0, second: 0 } as const;
  syncRecord.encode(
    { ...fields, name, crc32: 0, content: Buffer.from("abc") },
    writer,
    narrowAddresses,
  );
  return Buffer.from(writer.bytes());
}

/** A store with room for batches of names on its first path. */
function store() {
  const asked: [string, number][] = [];
  const room = new Uint8Array(1000);
  const released: Uint8Array[] = [];
  const receiveBatch = (name: string, lengthBytes: number) => {
    asked.push([name, lengthBytes]);
    if (!name.startsWith("M00/")) return undefined;
    return {
      bytes: room.subarray(0, lengthBytes),
      store: async () => ({ outcomes: ["done" as const], latest: 5, bytes: 3 }),
      release: () => released.push(room),
    };
  };
  return { receiveBatch, asked, room, released };
}

test("a batch goes where its first name lies, piece by piece", async () => {
  const into = store();
  const bytes = batchOf("M00/00/00/some-name");
  const batch = new IncomingBatch(into, bytes.length);
  for (let at = 0; at < bytes.length; at += 60) batch.write(bytes.subarray(at, at + 60));
  expect(into.asked).toEqual([["M00/00/00/some-name", bytes.length]]);
  expect(Buffer.from(into.room.subarray(0, bytes.length)).equals(bytes)).toBe(true);
  expect(await batch.store(1)).toEqual({ outcomes: ["done"], latest: 5, bytes: 3 });
  batch.release();
  batch.release();
  expect(into.released.length).toBe(1);
});

test("without room, and where the begin does not tell a name, its records are left for one by one", async () => {
  const elsewhere = batchOf("M01/00/00/some-name");
  const none = { outcomes: [undefined], latest: 0, bytes: 0 };
  const batch = new IncomingBatch(store(), elsewhere.length);
  batch.write(elsewhere);
  expect(await batch.store(1)).toEqual(none);
  expect(Buffer.from(batch.bytes).equals(elsewhere)).toBe(true);
  const into = store();
  const short = new IncomingBatch(into, 100);
  short.write(batchOf("M00/00/00/some-name").subarray(0, 20));
  expect([into.asked, await short.store(1)]).toEqual([[], none]);
  short.release();
});
