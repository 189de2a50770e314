/** A connection of the generator, whose other end is the test. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { LoadConnection } from "#client/load/load-connection.ts";
import { replyCommand, writeHeader } from "#protocol/header.ts";
import { ScriptedConnection } from "../../../support/scripted-connection.ts";

const pattern = Buffer.alloc(1024, "p");

function stage() {
  const peer = new ScriptedConnection();
  const seen: string[] = [];
  const connection = new LoadConnection(
    peer,
    {
      onReply: () => seen.push(`${connection.status} ${connection.length}`),
      onBroken: (words) => seen.push(words),
    },
    pattern,
  );
  return { peer, seen, connection };
}

function reply(body: Uint8Array, status = 0, command: number = replyCommand): Buffer {
  const bytes = Buffer.alloc(10 + body.length);
  writeHeader(bytes, 0, { length: body.length, command, status });
  bytes.set(body, 10);
  return bytes;
}

test("a reply is one, in whatever pieces it comes", () => {
  const body = Buffer.from("a body of some length");
  const whole = reply(body);
  for (let cut = 1; cut < whole.length; cut += 1) {
    const { peer, seen, connection } = stage();
    connection.send(Buffer.from("?"), 0);
    peer.deliver(whole.subarray(0, cut));
    expect(seen).toEqual([]);
    peer.deliver(whole.subarray(cut));
    expect(seen).toEqual([`0 ${body.length}`]);
    expect(connection.kept.subarray(0, body.length)).toEqual(body);
  }
});

test("a reply without body, and one with a status, end the exchange", () => {
  const { peer, seen, connection } = stage();
  connection.send(Buffer.from("?"), 0);
  peer.deliver(reply(Buffer.alloc(0), 28));
  connection.send(Buffer.from("?"), 0);
  peer.deliver(reply(Buffer.alloc(3)));
  expect(seen).toEqual(["28 0", "0 3"]);
});

test("of a long reply the begin is kept, and its sum if somebody wants it", () => {
  const { peer, connection } = stage();
  connection.checksums = true;
  const body = Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 251));
  connection.send(Buffer.from("?"), 0);
  const whole = reply(body);
  for (let at = 0; at < whole.length; at += 100) peer.deliver(whole.subarray(at, at + 100));
  expect(connection.kept).toEqual(body.subarray(0, connection.kept.length));
  expect(connection.crc32).toBe(crc32(body));
});

test("what was not asked for, and what is no reply, breaks the connection once", async () => {
  const unasked = stage();
  unasked.peer.deliver(reply(Buffer.alloc(0)));
  const nonsense = stage();
  nonsense.connection.send(Buffer.from("?"), 0);
  nonsense.peer.deliver(reply(Buffer.alloc(0), 0, 11));
  const negative = stage();
  negative.connection.send(Buffer.from("?"), 0);
  negative.peer.deliver(Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, replyCommand, 0]));
  await Promise.resolve();
  expect([unasked.seen, nonsense.seen, negative.seen]).toEqual([
    ["sent more than was asked for"],
    ["answered nonsense"],
    ["answered nonsense"],
  ]);
  expect(nonsense.connection.usable).toBe(false);
});

test("an end of the other side breaks it, our own end does not", async () => {
  const theirs = stage();
  theirs.peer.deliverEnd();
  const reset = stage();
  reset.peer.close(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
  const ours = stage();
  ours.connection.close();
  await Promise.resolve();
  expect([theirs.seen, reset.seen, ours.seen]).toEqual([
    ["connection closed"],
    ["connection reset"],
    [],
  ]);
});

test("long content is sent in pieces, few at a time, and a reply may come before all are", async () => {
  const { peer, seen, connection } = stage();
  peer.takesWrites = false;
  connection.send(Buffer.from("head"), 3000);
  expect(peer.heldWrites).toBe(3);
  peer.deliver(reply(Buffer.alloc(0), 28));
  expect([seen, connection.sendsStill]).toEqual([["28 0"], true]);
  peer.takeHeld();
  peer.takeHeld();
  expect(peer.sent.length).toBe(4 + 3000);
  expect(connection.sendsStill).toBe(false);
});

test("content whose pieces are taken at once is sent without going deeper", () => {
  const peer = new ScriptedConnection();
  let taken = 0;
  peer.write = (bytes, done) => {
    taken += bytes.length;
    done?.();
  };
  const owner = { onReply: () => {}, onBroken: () => {} };
  const connection = new LoadConnection(peer, owner, Buffer.alloc(1));
  connection.send(Buffer.alloc(0), 100_000);
  expect([taken, connection.sendsStill]).toEqual([100_000, false]);
});
