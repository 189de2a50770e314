/** A payload behind its header, over a scripted connection. */
import { expect, test } from "vitest";
import { type ByteSource, type Piece, sourceOfBytes } from "#net/byte-flow.ts";
import { headerBytes, PatternSource, pattern } from "../../support/frame-fixture.ts";
import { ScriptedConnection } from "../../support/scripted-connection.ts";
import { sendSource } from "../../support/send-source.ts";
import { turns } from "../../support/settled.ts";

const options = { headerCommand: 100, progress: () => {} };

test("header and payload arrive whole, and the source is closed", async () => {
  for (const size of [0, 1, 16 * 1024, 100_000]) {
    const connection = new ScriptedConnection();
    const source = new PatternSource(size);
    await sendSource(connection, source, options);
    expect(connection.sent).toEqual(Buffer.concat([headerBytes(size, 100, 0), pattern(size)]));
    expect(source).toMatchObject({ piecesOut: 0, closed: 1 });
  }
});

test("the header goes into the room in front of the first piece, and both leave in one write", async () => {
  const memory = Buffer.alloc(74);
  memory.fill("x", 64);
  let released = 0;
  const piece: Piece = {
    bytes: memory.subarray(64),
    room: 64,
    release: () => {
      released += 1;
    },
  };
  const pieces = [piece];
  const connection = new ScriptedConnection();
  const source = { length: 10, next: async () => pieces.shift(), close: () => {} };
  await sendSource(connection, source, options);
  await turns(1);
  expect(connection.segments).toEqual([
    Buffer.concat([headerBytes(10, 100, 0), Buffer.from("xxxxxxxxxx")]),
  ]);
  expect(released).toBe(1);
});

test("without room, header and first piece are corked together", async () => {
  const connection = new ScriptedConnection();
  await sendSource(connection, new PatternSource(100), options);
  expect(connection.segments.map((segment) => segment.length)).toEqual([110]);
});

test("it ends only when everything is with the kernel, and tells of progress", async () => {
  const connection = new ScriptedConnection();
  connection.takesWrites = false;
  let progress = 0;
  let ended = false;
  const source = new PatternSource(20_000);
  const sending = sendSource(connection, source, {
    headerCommand: 100,
    progress: () => {
      progress += 1;
    },
  }).then(() => {
    ended = true;
  });
  await turns();
  expect(ended).toBe(false);
  while (!ended) {
    connection.takeHeld(1);
    await turns(1);
  }
  await sending;
  expect(progress).toBe(2);
  expect(connection.sent.length).toBe(20_010);
});

test("a source that fails, ends early or gives too much rejects", async () => {
  const connection = new ScriptedConnection();
  const failing = new PatternSource(50_000, { failAt: 20_000 });
  await expect(sendSource(connection, failing, options)).rejects.toThrow("unreadable");
  await turns(1);
  expect(failing.piecesOut).toBe(0);

  for (const size of [5, 15]) {
    const source: ByteSource = { ...sourceOfBytes(pattern(size)), length: 10 };
    const lying = sendSource(new ScriptedConnection(), source, options);
    await expect(lying).rejects.toMatchObject({ code: "flow-broken" });
  }
});

test("a peer that leaves ends the sending, and all pieces come back", async () => {
  const connection = new ScriptedConnection();
  connection.takesWrites = false;
  const source = new PatternSource(500_000);
  const sending = sendSource(connection, source, options);
  await turns();
  connection.close(new Error("reset"));
  await expect(sending).rejects.toMatchObject({ code: "flow-broken" });
  expect(source.piecesOut).toBe(0);
});

test("what was sent directly is not sent again, wherever it ended, and pieces may be empty then", async () => {
  const frame = Buffer.concat([headerBytes(30, 100, 0), pattern(30)]);
  for (let sent = 0; sent <= frame.length; sent += 1) {
    for (const directly of [0, 4]) {
      const connection = new ScriptedConnection();
      connection.sent = Buffer.from(frame.subarray(0, sent));
      let at = Math.max(0, sent - 10);
      const next = (): Piece | undefined => {
        const gone = at === 0 ? 0 : Math.min(directly, 30 - at);
        connection.sent = Buffer.concat([connection.sent, pattern(30).subarray(at, at + gone)]);
        at += gone;
        const bytes = pattern(30).subarray(at, at + (gone === 0 ? 7 : 0));
        at += bytes.length;
        return { bytes, room: 0, sent: gone, release: () => {} };
      };
      await sendSource(connection, { length: 30, sent, next, close: () => {} }, options);
      await turns(1);
      expect(connection.sent.equals(frame)).toBe(true);
    }
  }
});
