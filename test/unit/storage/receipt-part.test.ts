/** A receipt from everybody who may have the file: who is missing it, who is silent, and C's storages, which are asked in their own words. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import type { FileRecord } from "#filestore/file-record.ts";
import { StorageId } from "#model/storage-id.ts";
import type { Message } from "#protocol/message.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { ReceiptPart, type ReceiptPeer } from "#storage/receipt-part.ts";
import type { PeerExchange } from "#sync/anti-entropy/peer-exchange.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const name = "M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt";
const record: FileRecord = {
  ...{ sizeBytes: 5, modifiedSeconds: 100, crc32: 7, flushedAt: 100, verifiedAt: 200 },
  ...{ crcFrom: "name", damaged: undefined },
};

type Answer = (message: string) => Promise<unknown>;

function peer(id: string, isCairn: boolean | undefined, answer: Answer): ReceiptPeer {
  const call = (message: Message<unknown, unknown, "none">) => answer(message.name);
  return { id: StorageId(id), isCairn, exchange: { call } as unknown as PeerExchange };
}

function part(peers: readonly ReceiptPeer[], own: () => Promise<FileRecord>) {
  const clock = new ManualClock();
  const place = { directory: "/srv/disk0", pathId: "00", diskId: "" };
  const parts = {
    ...{ group: "group1", clock, scrubs: { fileRecord: own }, placeOf: () => place },
    ...{ ownId: () => StorageId("10.9.0.2"), peers: () => peers },
  };
  return { clock, receipts: new ReceiptPart(parts) };
}

const refuses = (status: number): Answer => {
  return () => Promise.reject(new WireStatusError(status, "no"));
};

test("each storage is listed with what it said, this one first", async () => {
  const reply = {
    ...{ fileSize: 5, modifiedAt: 100, crc32: 7, crcFrom: "name", flushedAt: 101 },
    ...{ verifiedAt: 0, damaged: "aside", storePathIndex: 0, pathId: "", diskId: "" },
    directory: "/mnt",
  };
  const asked: string[] = [];
  const { receipts, clock } = part(
    [
      peer("10.9.0.3", true, async () => reply),
      peer("10.9.0.4", true, refuses(wireStatus.notFound)),
      peer("10.9.0.5", undefined, async (message) => {
        asked.push(message);
        if (message === "fileReceipt") throw new WireStatusError(wireStatus.invalid, "unknown");
        return { fileSize: 5, modifiedAt: 90, crc32: 7, sourceAddress: "10.9.0.2" };
      }),
      peer("10.9.0.6", true, () => new Promise(() => {})),
      peer("10.9.0.7", false, () => Promise.reject(new Error("refused"))),
    ],
    async () => record,
  );
  const waiting = receipts.ask({ name, reads: false, deadlineMs: 5000 });
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(5000);
  const found = await waiting;
  expect(found.map(({ storage, state }) => [storage, state])).toEqual([
    ["10.9.0.2", "holds"],
    ["10.9.0.3", "holds"],
    ["10.9.0.4", "missing"],
    ["10.9.0.5", "holds"],
    ["10.9.0.6", "silent"],
    ["10.9.0.7", "silent"],
  ]);
  expect(found[0]?.copy).toMatchObject({ directory: "/srv/disk0", verifiedAt: 200, damaged: "no" });
  expect(found[1]?.copy).toMatchObject({ directory: "/mnt", damaged: "aside" });
  expect(asked).toEqual(["fileReceipt", "queryFileInfo"]);
  expect(found[3]?.copy).toMatchObject({ sizeBytes: 5, crcFrom: "name", flushedAt: 0 });
  expect(found[4]?.problem).toBe("no answer within 5 s");
  expect(found[5]?.problem).toBe("refused");
});

test("a peer is told what is known of the own copy, and that there is none", async () => {
  const missing = () => Promise.reject(fileStoreError("file-missing", "no such file"));
  const services = { checkGroup: () => {} };
  const request = { group: "group1", reads: false, filename: name } as never;
  const { receipts } = part([], async () => record);
  const session = {} as never;
  const reply = await receipts.handlers(services).fileReceipt(request, session);
  expect(reply).toMatchObject({ fileSize: 5, crcFrom: "name", damaged: "no", verifiedAt: 200 });
  const { receipts: without } = part([], missing);
  await expect(without.handlers(services).fileReceipt(request, session)).rejects.toMatchObject({
    code: "file-missing",
  });
  expect(await without.ask({ name, reads: false, deadlineMs: 10 })).toMatchObject([
    { state: "missing", isOwn: true },
  ]);
});
