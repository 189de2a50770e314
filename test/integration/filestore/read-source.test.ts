/** Reads over the rings from a worker loop in this thread; blocks come back whatever happens, and exactly once. */
import { expect, test } from "vitest";
import { type BlockSize, blockSizeFor, largeBlockBytes } from "#filestore/block-pool.ts";
import { ReadSource } from "#filestore/read-source.ts";
import { request } from "#filestore/worker-messages.ts";
import { collect, flowOfSource } from "#net/byte-flow.ts";
import { headerBytes, pattern } from "../../support/frame-fixture.ts";
import { ScriptedConnection } from "../../support/scripted-connection.ts";
import { sendSource } from "../../support/send-source.ts";
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

/** Everything of this size that is free. */
function takeAll({ client }: PathStage, size: BlockSize): number[] {
  const taken: number[] = [];
  for (let block = client.blocks.tryTake(size); block !== undefined; ) {
    taken.push(block);
    block = client.blocks.tryTake(size);
  }
  return taken;
}

test("a client that takes nothing holds one block, and one more that it gives up to others", async () => {
  const stage = await pathStage(true);
  const connection = new ScriptedConnection();
  connection.takesWrites = false;
  const size = 5 * largeBlockBytes + 5;
  const source = await openRead(stage, size);
  const sending = sendSource(connection, source, { headerCommand: 100, progress: () => {} });
  await turns(20);
  expect([connection.heldWrites, stage.client.blocks.inUse]).toEqual([1, 2]);
  const taken = takeAll(stage, "large");
  expect(taken.length).toBe(63);
  expect(connection.heldWrites).toBe(1);
  // What was given up is read again when its turn comes.
  for (const block of taken) stage.client.blocks.give(block);
  connection.takesWrites = true;
  connection.takeHeld();
  await sending;
  expect(connection.sent).toEqual(Buffer.concat([headerBytes(size, 100, 0), pattern(size)]));
  await expectNothingLeft(stage);
});

test("where blocks are short nothing is read ahead, and who is asked for a piece stands in line", async () => {
  const stage = await pathStage(true);
  const source = await openRead(stage, 2 * largeBlockBytes);
  const taken = takeAll(stage, "large");
  const first = await source.next();
  await turns();
  expect(stage.client.pending).toBe(0);
  const next = source.next();
  await turns();
  expect(stage.client.blocks.crowded).toBe(true);
  first?.release();
  expect((await next)?.bytes).toEqual(
    new Uint8Array(pattern(2 * largeBlockBytes).subarray(largeBlockBytes)),
  );
  for (const block of taken) stage.client.blocks.give(block);
  source.close();
});

test("what is read ahead while others wait for blocks goes to them at once", async () => {
  const stage = await pathStage(false);
  const source = await openRead(stage, 3 * largeBlockBytes);
  const first = await source.next();
  const taken = takeAll(stage, "large");
  const waiting = stage.client.blocks.take("large");
  await stage.turn();
  taken.push(await waiting);
  for (const block of taken) stage.client.blocks.give(block);
  first?.release();
  stage.worker.automatic = true;
  const rest: Buffer[] = [];
  for (let piece = await source.next(); piece !== undefined; piece = await source.next()) {
    rest.push(Buffer.from(piece.bytes));
    piece.release();
  }
  expect(Buffer.concat(rest)).toEqual(pattern(3 * largeBlockBytes).subarray(largeBlockBytes));
  source.close();
  await expectNothingLeft(stage);
});

test("closed while it stands in line it gives the block back", async () => {
  const stage = await pathStage(true);
  const source = await openRead(stage, 2 * largeBlockBytes);
  const taken = takeAll(stage, "large");
  const first = await source.next();
  const next = source.next();
  source.close();
  first?.release();
  expect(await next).toBeUndefined();
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
