import { expect, test } from "vitest";
import { largeBlockBytes } from "#filestore/block-pool.ts";
import { writeDiskFile } from "#filestore/disk-file.ts";
import type { RequestFields, StorePathClient } from "#filestore/store-path-client.ts";
import { writeFlag } from "#filestore/worker-messages.ts";
import { pattern } from "../../support/frame-fixture.ts";

test("a file goes in pieces of a block, and the block is given back, whatever happens", async () => {
  const view = new Uint8Array(largeBlockBytes);
  const given: number[] = [];
  const sent: { flags: number | undefined; a: number | undefined; bytes: Buffer }[] = [];
  let failsAt = Number.POSITIVE_INFINITY;
  const client = {
    blocks: { take: async () => 5, give: (block: number) => given.push(block), view: () => view },
    send: async ({ flags, a, blockLength = 0, text }: RequestFields) => {
      expect(text).toBe("state.copy");
      if (sent.length >= failsAt) throw new Error("the disk is gone");
      sent.push({ flags, a, bytes: Buffer.from(view.subarray(0, blockLength)) });
    },
  } as unknown as StorePathClient;
  const bytes = pattern(largeBlockBytes * 2 + 5);
  await writeDiskFile(client, { name: "state.copy", bytes });
  expect(sent.map(({ flags, a }) => [flags, a])).toEqual([
    [writeFlag.first, 0],
    [0, largeBlockBytes],
    [writeFlag.last, 2 * largeBlockBytes],
  ]);
  expect(Buffer.concat(sent.map((piece) => piece.bytes)).equals(Buffer.from(bytes))).toBe(true);
  failsAt = sent.length;
  await expect(writeDiskFile(client, { name: "state.copy", bytes })).rejects.toThrow("gone");
  expect(given).toEqual([5, 5]);
});
