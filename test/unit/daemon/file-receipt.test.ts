/** Receipts in words. */
import { expect, test } from "vitest";
import type { ReceiptCopy } from "#control/operations/files.ts";
import { inWords, publicReceipt, receiptOf } from "#daemon/file-receipt.ts";
import type { ReceiptEntry } from "#storage/receipt-part.ts";

const copy: ReceiptCopy = {
  ...{ storage: "10.9.0.2", own: true, software: "cairn", state: "holds" },
  ...{ sizeBytes: 5, crc32: "00000007", verifiedAt: 100 },
};

test("a sentence says who holds it, how much of that was verified, and what is wrong", () => {
  expect(inWords([copy, { ...copy, verifiedAt: undefined }])).toBe(
    "2 of 2 storages hold this file; 1 of these copies verified since they were made.",
  );
  expect(inWords([copy, { ...copy, crc32: "00000008" }])).toContain("NOT THE SAME");
  const others = (["damaged", "missing", "silent"] as const).map((state) => ({ ...copy, state }));
  expect(inWords([copy, ...others])).toContain("1 damaged; 1 without it; 1 did not answer");
  expect(inWords(others)).toMatch(/^No storage that answered holds this file/);
});

const entry: ReceiptEntry = {
  ...{ storage: "10.9.0.2", isOwn: true, software: "cairn", state: "holds", problem: undefined },
  copy: {
    ...{ storePath: 0, directory: "/srv/disk0", pathId: "ab", diskId: "", sizeBytes: 5 },
    ...{ modifiedSeconds: 1, crc32: 7, flushedAt: 2, verifiedAt: 0 },
    ...({ crcFrom: "name", damaged: "no" } as const),
  },
};
const storages = [
  { half: undefined, storage: { receipts: { ask: async () => [entry] } } },
] as const;
const id = "group1/M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt";

test("what is not known is left out, and places are for operators alone", async () => {
  const found = await receiptOf(storages, "group1", { id, reads: false });
  expect(found?.copies).toMatchObject([
    { state: "holds", directory: "/srv/disk0", pathId: "ab", crc32: "00000007", flushedAt: 2 },
  ]);
  expect(found?.copies[0]?.verifiedAt).toBe(undefined);
  const open = await publicReceipt(storages, "group1", id);
  expect(open?.copies[0]).not.toHaveProperty("directory");
  expect(await receiptOf(storages, "group2", { id, reads: false })).toBe(undefined);
  expect(await receiptOf([], "group1", { id, reads: false })).toBe(undefined);
});
