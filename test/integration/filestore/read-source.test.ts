/** Reads over the rings from a worker loop in this thread; blocks come back whatever happens, and exactly once. */
import { expect, test } from "vitest";
import { blockSizeFor, largeBlockBytes } from "#filestore/block-pool.ts";
import { ReadSource } from "#filestore/read-source.ts";
import { request } from "#filestore/worker-messages.ts";
import { collect, flowOfSource } from "#net/byte-flow.ts";
import { sendSource } from "#net/frame-sender.ts";
import { headerBytes, pattern } from "../../support/frame-fixture.ts";
import { ScriptedConnection } from "../../support/scripted-connection.ts";
import { turns } from "../../support/settled.ts";
import { expectNothingLeft, type PathStage, pathStage } from "../../support/store-fixture.ts";

const name = "M00/00/00/some";

async function openRead(stage: PathStage, size: number): Promise<ReadSource> {
  stage.worker.engine.files.set(name, { content: pattern(size), metadata: undefined });
  const { client } = stage;
  const block = await client.blocks.take(blockSizeFor(size));
  const capacity = client.blocks.view(block).length;
  const opening = client.send({
    kind: request.read,
    text: name,
    block,
    blockLength: capacity,
    flags: 1,
  });
  stage.worker.turn();
  const opened = await opening;
  return new ReadSource(client, {
    handle: opened.c,
    offset: 0,
    length: opened.a,
    firstBlock: block,
    firstLength: opened.blockLength,
  });
}

test("files of every size come out whole", async () => {
  const stage = await pathStage(true);
  for (const size of [0, 1, 16_384, 16_385, largeBlockBytes, largeBlockBytes + 1, 3_000_000]) {
    const source = await openRead(stage, size);
    expect(await collect(flowOfSource(source))).toEqual(pattern(size));
    source.close();
    await expectNothingLeft(stage);
  }
});

test("the header of a reply goes in front of the first block", async () => {
  const stage = await pathStage(true);
  const connection = new ScriptedConnection();
  const source = await openRead(stage, 5000);
  await sendSource(connection, source, { headerCommand: 100, progress: () => {} });
  await turns();
  expect(connection.segments).toEqual([Buffer.concat([headerBytes(5000, 100, 0), pattern(5000)])]);
  await expectNothingLeft(stage);
});

test("closed at any moment it leaves nothing behind", async () => {
  for (let taken = 0; taken <= 4; taken += 1) {
    for (const turnsBefore of [0, 1, 3]) {
      const stage = await pathStage(false);
      const source = await openRead(stage, 3 * largeBlockBytes);
      for (let piece = 0; piece < taken; piece += 1) {
        const next = source.next();
        await stage.turn();
        (await next)?.release();
      }
      await stage.turn(turnsBefore);
      source.close();
      source.close();
      expect(await source.next()).toBeUndefined();
      await expectNothingLeft(stage);
    }
  }
});

test("closed while a piece is awaited, the piece goes back and the reader gets none", async () => {
  const stage = await pathStage(false);
  const source = await openRead(stage, 3 * largeBlockBytes);
  (await source.next())?.release();
  const next = source.next();
  source.close();
  await stage.turn(2);
  expect(await next).toBeUndefined();
  await expectNothingLeft(stage);
});

test("a piece may be released after the source was closed, and twice", async () => {
  const stage = await pathStage(true);
  const source = await openRead(stage, 2 * largeBlockBytes);
  const piece = await source.next();
  source.close();
  await turns();
  piece?.release();
  piece?.release();
  await expectNothingLeft(stage);
});

test("a failure in the middle reaches whoever asks next, and is nobody's before", async () => {
  const stage = await pathStage(true);
  const source = await openRead(stage, 3 * largeBlockBytes);
  stage.worker.engine.failReads = true;
  const first = await source.next();
  // The sender is slow: the read ahead fails long before anybody takes it.
  await turns(10);
  first?.release();
  await expect(source.next()).rejects.toMatchObject({ code: "disk-failed" });
  source.close();
  await expectNothingLeft(stage);
});

test("reading ahead waits for a block in line, and gives it back when nobody wants it any more", async () => {
  const stage = await pathStage(true);
  const source = await openRead(stage, 2 * largeBlockBytes);
  const taken: number[] = [];
  for (let block = stage.client.blocks.tryTake("large"); block !== undefined; ) {
    taken.push(block);
    block = stage.client.blocks.tryTake("large");
  }
  const first = await source.next();
  source.close();
  first?.release();
  for (const block of taken) stage.client.blocks.give(block);
  await expectNothingLeft(stage);
});

test("a worker that ends fails the read and keeps no block", async () => {
  const stage = await pathStage(false);
  const source = await openRead(stage, 3 * largeBlockBytes);
  const first = await source.next();
  stage.worker.die(undefined);
  await turns();
  first?.release();
  await expect(source.next()).rejects.toMatchObject({ code: "store-path-offline" });
  source.close();
  await turns();
  expect([stage.client.blocks.inUse, stage.client.pending]).toEqual([0, 0]);
});
