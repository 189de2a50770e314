/** Receipts between storages: what is no word of theirs is refused. */
import { expect, test } from "vitest";
import { narrowAddresses, WireReader, WireWriter } from "#protocol/codec.ts";
import { fileReceipt } from "#protocol/peer/file-receipt.ts";

const reply = {
  ...{ fileSize: 5, modifiedAt: 1, crc32: 2, flushedAt: 3, verifiedAt: 4, storePathIndex: 1 },
  ...({ crcFrom: "record", damaged: "no" } as const),
  ...{ pathId: "00112233445566778899aabbccddeeff", diskId: "", directory: "/srv/disk1" },
};

function encoded(): Buffer {
  const writer = new WireWriter();
  fileReceipt.reply.encode(reply, writer, narrowAddresses);
  return Buffer.from(writer.bytes());
}

function decoded(bytes: Buffer) {
  return fileReceipt.reply.decode(new WireReader(bytes), narrowAddresses);
}

test("a reply reads as it was written", () => {
  expect(decoded(encoded())).toEqual(reply);
});

test("an unknown origin of the checksum, and an unknown damage, are refused", () => {
  const origin = 8 + 4 + 4;
  for (const at of [origin, origin + 1 + 4 + 4]) {
    const bytes = encoded();
    bytes[at] = 9;
    expect(() => decoded(bytes)).toThrow();
  }
});
