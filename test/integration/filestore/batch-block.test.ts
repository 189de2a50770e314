import { expect, test } from "vitest";
import { BatchBlock, fillBatch } from "#filestore/batch-block.ts";
import type { ServedPath } from "#filestore/served-path.ts";
import { expectNothingLeft, pathStage } from "../../support/store-fixture.ts";

test("a batch that the worker refuses is left for one by one, and its block comes back", async () => {
  const stage = await pathStage(true);
  const { client } = stage;
  let stored = 0;
  const path = {
    client,
    stored: () => {
      stored += 1;
    },
  } as unknown as ServedPath;
  const block = client.blocks.tryTake("batch") ?? -1;
  const batch = new BatchBlock(path, block, 100);
  expect(batch.bytes.length).toBe(100);
  // Zeros are no records.
  const none = { outcomes: [undefined, undefined], latest: 0, bytes: 0 };
  expect(await batch.store(2)).toEqual(none);
  await client.close();
  expect(await batch.store(2)).toEqual(none);
  batch.release();
  expect(stored).toBe(0);
  await expectNothingLeft(stage);
});

test("files that cannot be read for a batch are left for one by one, and the block comes back", async () => {
  const stage = await pathStage(true);
  const { client } = stage;
  const block = client.blocks.tryTake("batch") ?? -1;
  await client.close();
  expect(await fillBatch(client, block, ["5 C M00/00/00/x"])).toBeUndefined();
  await expectNothingLeft(stage);
});
