/** A payload on its way in, with a connection that only notes what it is told. */
import { expect, test } from "vitest";
import { IncomingPayload } from "#net/incoming-payload.ts";
import { pattern } from "../../support/frame-fixture.ts";
import { ScriptedConnection } from "../../support/scripted-connection.ts";
import { turns } from "../../support/settled.ts";

class Taker {
  readonly chunks: Buffer[] = [];
  goOn = true;

  write(chunk: Uint8Array): boolean {
    this.chunks.push(Buffer.from(chunk));
    return this.goOn;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

test("takes what belongs to it and leaves the rest", async () => {
  const payload = new IncomingPayload(10, new ScriptedConnection());
  const taker = new Taker();
  const drained = payload.drainTo(taker);
  expect([payload.receive(pattern(4)), payload.receive(pattern(20))]).toEqual([4, 6]);
  expect(payload.missing).toBe(0);
  await drained;
  expect(taker.bytes).toEqual(Buffer.concat([pattern(4), pattern(6)]));
});

test("an empty payload is drained at once", async () => {
  await new IncomingPayload(0, new ScriptedConnection()).drainTo(new Taker());
});

test("what comes before anybody drains is kept, and the peer slowed down", async () => {
  const connection = new ScriptedConnection();
  const payload = new IncomingPayload(8, connection);
  const received = Buffer.from("abcd");
  payload.receive(received);
  payload.settle();
  received.fill(0);
  expect([connection.paused, payload.paused]).toEqual([true, true]);
  const taker = new Taker();
  const drained = payload.drainTo(taker);
  expect([connection.paused, payload.paused]).toEqual([false, false]);
  payload.receive(Buffer.from("efgh"));
  await drained;
  expect(taker.bytes.toString()).toBe("abcdefgh");
});

test("a whole payload that nobody drains yet is copied without a pause", async () => {
  const connection = new ScriptedConnection();
  const payload = new IncomingPayload(4, connection);
  const received = Buffer.from("abcd");
  payload.receive(received);
  payload.settle();
  received.fill(0);
  expect(connection.paused).toBe(false);
  const taker = new Taker();
  await payload.drainTo(taker);
  expect(taker.bytes.toString()).toBe("abcd");
});

test("a sink that has enough pauses the connection until it resumes", () => {
  const connection = new ScriptedConnection();
  const payload = new IncomingPayload(100, connection);
  const taker = new Taker();
  taker.goOn = false;
  void payload.drainTo(taker);
  payload.receive(pattern(10));
  expect(connection.paused).toBe(true);
  payload.resume();
  expect(connection.paused).toBe(false);
  payload.resume();
});

test("the last bytes pause nothing, for what follows is not ours", async () => {
  const connection = new ScriptedConnection();
  const payload = new IncomingPayload(10, connection);
  const taker = new Taker();
  taker.goOn = false;
  const drained = payload.drainTo(taker);
  payload.receive(pattern(10));
  expect(connection.paused).toBe(false);
  await drained;
});

test("a peer that leaves breaks the flow, before or while it is drained", async () => {
  const before = new IncomingPayload(10, new ScriptedConnection());
  before.receive(pattern(4));
  before.settle();
  before.fail(new Error("reset"));
  const taker = new Taker();
  await expect(before.drainTo(taker)).rejects.toMatchObject({ code: "flow-broken" });

  const during = new IncomingPayload(10, new ScriptedConnection());
  const drained = during.drainTo(new Taker());
  during.fail(undefined);
  await expect(drained).rejects.toMatchObject({ code: "flow-broken" });

  const after = new IncomingPayload(3, new ScriptedConnection());
  after.receive(pattern(3));
  after.fail(new Error("reset"));
  await after.drainTo(new Taker());
});

test("once abandoned it drops what comes and lets the peer go on", () => {
  const connection = new ScriptedConnection();
  const payload = new IncomingPayload(10, connection);
  payload.receive(pattern(4));
  payload.settle();
  payload.abandon();
  expect(connection.paused).toBe(false);
  expect(payload.receive(pattern(9))).toBe(6);
  payload.settle();
  expect(connection.paused).toBe(false);
});

test("a sink that throws fails its draining, not the connection", async () => {
  const payload = new IncomingPayload(10, new ScriptedConnection());
  const drained = payload.drainTo({
    write: () => {
      throw new Error("a mistake");
    },
  });
  payload.receive(pattern(4));
  payload.receive(pattern(6));
  await expect(drained).rejects.toThrow("a mistake");
  await turns(1);
});

test("a sender that may wait for it is given its acknowledgement: where little is missing, and not where segments are full", () => {
  const connection = new ScriptedConnection();
  const payload = new IncomingPayload(200_000, connection);
  payload.receive(new Uint8Array(0));
  payload.receive(Buffer.alloc(100_000));
  expect(connection.acknowledged).toBe(0);
  payload.receive(Buffer.alloc(60_000));
  expect(connection.acknowledged).toBe(1);
  payload.receive(Buffer.alloc(40_000));
  expect(connection.acknowledged).toBe(1);
});
