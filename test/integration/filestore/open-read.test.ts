/** Answers that a worker writes to their peers itself, over a fake engine in this thread: whatever the socket takes, the peer gets the whole. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { directBytes, openRead } from "#filestore/open-read.ts";
import { collect, flowOfSource } from "#net/byte-flow.ts";
import { FramePeer } from "#net/direct-peer.ts";
import { headerBytes, pattern } from "../../support/frame-fixture.ts";
import { LentConnection } from "../../support/lent-connection.ts";
import { sendSource } from "../../support/send-source.ts";
import { turns } from "../../support/settled.ts";
import { expectNothingLeft, type PathStage, pathStage } from "../../support/store-fixture.ts";

const name = "M00/00/00/some";
const sending = { headerCommand: 100, progress: () => {} };

interface Asked {
  readonly size: number;
  readonly offset?: number;
  readonly length?: number;
  /** The size that the name says. */
  readonly named?: number;
}

async function stageOf(connection: LentConnection, size: number, automatic = true) {
  const stage = await pathStage(automatic, connection.sockets);
  stage.worker.engine.files.set(name, { content: pattern(size), metadata: undefined });
  return stage;
}

/** Asks as the download handler does, and sends what comes. */
async function answer(stage: PathStage, connection: LentConnection, asked: Asked): Promise<void> {
  const { size, offset = 0, length = 0, named = size } = asked;
  const peer = new FramePeer(connection);
  const how = { range: { offset, length }, peer, sizeInName: named };
  const { body } = await openRead(stage.client, name, how);
  await sendSource(connection, body, sending);
  await turns(2);
}

function expected({ size, offset = 0, length = 0 }: Asked): Buffer {
  const rest = size - offset;
  const count = length === 0 ? rest : Math.min(length, rest);
  const content = pattern(size).subarray(offset, offset + count);
  return Buffer.concat([headerBytes(count, 100, 0), content]);
}

test("a long file goes out whole without the main thread writing a byte", async () => {
  const connection = new LentConnection();
  const size = 3_000_000;
  const stage = await stageOf(connection, size);
  connection.write = () => {
    throw new Error("nothing is left to be written");
  };
  await answer(stage, connection, { size });
  expect(connection.sent.equals(expected({ size }))).toBe(true);
  expect(connection.lent).toBe(0);
  await expectNothingLeft(stage);
});

test("whatever the socket takes at a time, the peer gets header and range whole, and the lease comes back", async () => {
  const asked = fc.record({
    size: fc.integer({ min: 1, max: 700_000 }),
    start: fc.double({ min: 0, max: 0.999, noNaN: true }),
    length: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 700_000 })),
    isNamed: fc.boolean(),
    takes: fc.infiniteStream(
      fc.oneof(
        fc.constantFrom(0, 1, 5, 9, 10, 11, 16_384),
        fc.integer({ min: 0, max: 400_000 }),
        fc.constant(1e9),
      ),
    ),
    isPacked: fc.boolean(),
    writesAreTaken: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(asked, async ({ size, start, length, isNamed, ...how }) => {
      const connection = new LentConnection();
      const stage = await stageOf(connection, size);
      stage.worker.engine.isPacked = how.isPacked;
      connection.takes = (offered) => Math.min(offered, how.takes.next().value);
      connection.takesWrites = how.writesAreTaken;
      const wanted = { size, offset: Math.floor(start * size), length };
      const ended = answer(stage, connection, { ...wanted, named: isNamed ? size : 0 });
      let isOver = false;
      void ended.then(() => {
        isOver = true;
      });
      while (!isOver) {
        await turns(1);
        connection.takeHeld();
      }
      await ended;
      expect(connection.sent.equals(expected(wanted))).toBe(true);
      expect(connection.lent).toBe(0);
      await expectNothingLeft(stage);
    }),
    { numRuns: 60 },
  );
}, 60_000);

test("short files, packed ones, and readers that are no peers take the ordinary way", async () => {
  const connection = new LentConnection();
  const stage = await stageOf(connection, directBytes);
  await answer(stage, connection, { size: directBytes });
  expect(connection.lends).toBe(0);
  const size = 5 * directBytes;
  stage.worker.engine.files.set(name, { content: pattern(size), metadata: undefined });
  const { body } = await openRead(stage.client, name, { range: { offset: 0, length: 0 } });
  expect((await collect(flowOfSource(body))).equals(pattern(size))).toBe(true);
  body.close();
  expect(connection.lends).toBe(0);
  await expectNothingLeft(stage);
});

test("a file that cannot be sent directly is asked for so once, and then read ahead as ever", async () => {
  const connection = new LentConnection();
  const size = 2_000_000;
  const stage = await stageOf(connection, size);
  stage.worker.engine.isPacked = true;
  await answer(stage, connection, { size });
  expect(connection.sent.equals(expected({ size }))).toBe(true);
  expect(connection.lends).toBe(1);
  await expectNothingLeft(stage);
});

test("a file that is not as large as its name says gets the header of what it is", async () => {
  const connection = new LentConnection();
  const size = 300_000;
  const stage = await stageOf(connection, size);
  await answer(stage, connection, { size, named: size + 1000 });
  expect(connection.sent.equals(expected({ size }))).toBe(true);
  await expectNothingLeft(stage);
});

test("a file that fails after its begin was sent ends the answer, not before what was sent is counted", async () => {
  const connection = new LentConnection();
  const size = 900_000;
  const stage = await stageOf(connection, size);
  connection.takes = (offered) => {
    if (stage.worker.engine.failReads) return 0;
    stage.worker.engine.failReads = offered > 10;
    return Math.min(offered, 100_000);
  };
  await expect(answer(stage, connection, { size })).rejects.toThrow("unreadable");
  expect(connection.lent).toBe(0);
});

test("refused where the path does not serve: the lease comes back at once", async () => {
  const connection = new LentConnection();
  const stage = await stageOf(connection, 300_000);
  const refusal = fileStoreError("store-path-unready", "no");
  stage.client.admit("none", { refusal, pending: refusal });
  await expect(answer(stage, connection, { size: 300_000 })).rejects.toThrow("no");
  expect(connection).toMatchObject({ lent: 0, lends: 1, brokenOff: false });
});

test("given up before the worker began: it never writes, and the connection stays", async () => {
  const connection = new LentConnection();
  const stage = await stageOf(connection, 300_000, false);
  const asking = answer(stage, connection, { size: 300_000 });
  const gone = fileStoreError("store-path-offline", "given up");
  stage.client.expireUpTo(stage.client.lastId, gone);
  await expect(asking).rejects.toThrow("given up");
  expect(connection).toMatchObject({ lent: 0, brokenOff: false });
  await stage.turn(3);
  expect(connection.sent.length).toBe(0);
  await expectNothingLeft(stage);
});

test("given up while the worker writes: the connection ends, and the lease comes back when the worker answers", async () => {
  const connection = new LentConnection();
  const stage = await stageOf(connection, 300_000, false);
  const asking = answer(stage, connection, { size: 300_000 });
  const failed = expect(asking).rejects.toThrow("given up");
  const gone = fileStoreError("store-path-offline", "given up");
  connection.takes = (offered) => {
    if (offered === 10) return 10;
    // The disk hangs in the middle of the call.
    stage.client.expireUpTo(stage.client.lastId, gone);
    expect(connection).toMatchObject({ lent: 1, brokenOff: true, closed: true });
    return 1000;
  };
  await stage.turn(1);
  await failed;
  await stage.turn(3);
  expect(connection.lent).toBe(0);
  await expectNothingLeft(stage);
});

test("a worker that ends in the middle leaves no lease behind", async () => {
  const connection = new LentConnection();
  const stage = await stageOf(connection, 300_000, false);
  const asking = answer(stage, connection, { size: 300_000 });
  stage.worker.die(new Error("gone"));
  await expect(asking).rejects.toThrow();
  expect(connection).toMatchObject({ lent: 0, brokenOff: false });
});
