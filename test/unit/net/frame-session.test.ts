/**
 * One session over a scripted connection: the receive buffer is overwritten after each delivery, so that whatever keeps a view
 * of it shows; time moves only when the test says so.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { appendFile, queryFileInfo, uploadFile } from "#protocol/fastdfs/storage-files.ts";
import { wireStatus } from "#protocol/wire-status.ts";
import {
  activeTestBytes,
  deleteBytes,
  downloadBytes,
  headerBytes,
  okReply,
  pattern,
  quitBytes,
  requestBytes,
  statusReply,
  uploadBytes,
  uploadReply,
} from "../../support/frame-fixture.ts";
import type { ScriptedConnection } from "../../support/scripted-connection.ts";
import { sessionStage as stage } from "../../support/session-stage.ts";
import { turns } from "../../support/settled.ts";

const timeoutMs = 30_000;

const trackerLike = { closesAfterInvalid: false, answersOversized: false };

/** Delivers `stream` cut at `cuts`, letting everything run between two pieces. */
async function deliverCut(
  connection: ScriptedConnection,
  stream: Buffer,
  cuts: readonly number[],
): Promise<void> {
  let at = 0;
  for (const cut of [...cuts, stream.length].sort((one, other) => one - other)) {
    if (cut > at) connection.deliver(stream.subarray(at, cut));
    at = Math.max(at, cut);
    await turns(2);
  }
  await turns(6);
}

test("a header in one, two and ten pieces gives the same reply", async () => {
  for (const cuts of [[], [4], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const { connection } = stage();
    await deliverCut(connection, activeTestBytes, cuts);
    expect(connection.sent).toEqual(okReply);
  }
});

test("an upload split at any one place gives the same reply, whenever its handler drains", async () => {
  const payload = pattern(40);
  for (const extension of ["", "late"]) {
    const stream = Buffer.concat([uploadBytes(payload, extension), activeTestBytes]);
    for (let cut = 1; cut < stream.length; cut += 1) {
      const { connection } = stage();
      await deliverCut(connection, stream, [cut]);
      expect(connection.sent, `cut at ${cut}`).toEqual(
        Buffer.concat([uploadReply(payload), okReply]),
      );
    }
  }
});

/** One request and the reply that belongs to it. */
const exchange = fc.oneof(
  fc.constant({ bytes: activeTestBytes, reply: okReply }),
  fc.constant({ bytes: deleteBytes("there"), reply: okReply }),
  fc.constant({ bytes: deleteBytes("missing"), reply: statusReply(wireStatus.notFound) }),
  fc.constant({ bytes: headerBytes(0, 222, 0), reply: statusReply(wireStatus.invalid) }),
  fc.constant({
    bytes: Buffer.concat([headerBytes(3, 222, 0), Buffer.from("abc")]),
    reply: statusReply(wireStatus.invalid),
  }),
  fc
    .record({
      size: fc.integer({ min: 0, max: 9000 }),
      extension: fc.constantFrom("", "late"),
      seed: fc.nat({ max: 1000 }),
    })
    .map(({ size, extension, seed }) => {
      const payload = pattern(size, seed);
      return { bytes: uploadBytes(payload, extension), reply: uploadReply(payload) };
    }),
  fc.integer({ min: 0, max: 3000 }).map((size) => ({
    bytes: uploadBytes(pattern(size), "refuse"),
    reply: statusReply(wireStatus.noSpace),
  })),
  fc.integer({ min: 0, max: 40_000 }).map((size) => ({
    bytes: downloadBytes(size),
    reply: Buffer.concat([headerBytes(size, 100, 0), pattern(size)]),
  })),
  fc.constant({
    bytes: uploadBytes(pattern(10), "", 11),
    reply: statusReply(wireStatus.invalid),
  }),
);

test("any split of a stream of requests gives their replies, in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(exchange, { minLength: 1, maxLength: 6 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
      async (exchanges, places) => {
        const { connection, session } = stage(trackerLike);
        const stream = Buffer.concat(exchanges.map(({ bytes }) => bytes));
        await deliverCut(
          connection,
          stream,
          places.map((place) => Math.floor(place * stream.length)),
        );
        expect(connection.sent).toEqual(Buffer.concat(exchanges.map(({ reply }) => reply)));
        expect(session.idle).toBe(true);
        expect(connection.paused).toBe(false);
      },
    ),
    { numRuns: 60 },
  );
}, 20_000);

test("bytes of a pipelined request do not disturb a payload that nobody drains yet", async () => {
  const payload = pattern(5000);
  const { connection } = stage();
  connection.deliver(Buffer.concat([uploadBytes(payload, "late"), activeTestBytes]));
  await turns();
  expect(connection.sent).toEqual(Buffer.concat([uploadReply(payload), okReply]));
});

test("a small reply leaves in one write with its header", async () => {
  const { connection } = stage();
  connection.deliver(uploadBytes(pattern(10)));
  await turns();
  connection.deliver(downloadBytes(500));
  await turns();
  expect(connection.segments.map((segment) => segment.length)).toEqual([
    uploadReply(pattern(10)).length,
    510,
  ]);
});

test("the header's status byte reaches the decoder of the requests that use it", async () => {
  const { connection } = stage();
  const request = { group: "group1", filename: "M00/00/00/name", headerStatus: 3 };
  connection.deliver(requestBytes(queryFileInfo, request, { status: 3 }));
  await turns();
  expect(connection.sent.readBigInt64BE(10)).toBe(3n);
});

test("a storage answers EINVAL and closes, and takes nothing more", async () => {
  const { connection, session } = stage();
  connection.deliver(Buffer.concat([deleteBytes("invalid"), activeTestBytes]));
  await turns();
  expect(connection.sent).toEqual(statusReply(wireStatus.invalid));
  expect(connection.ended).toBe(true);
  connection.deliver(activeTestBytes);
  await turns();
  expect(connection.sent).toEqual(statusReply(wireStatus.invalid));
  expect(connection.writesAfterEnd).toBe(0);
  session.expire(timeoutMs, timeoutMs);
  expect(connection.closed, "a peer that does not close in turn is cut").toBe(true);
});

test("a tracker keeps the connection after EINVAL and after other errors", async () => {
  const { connection } = stage(trackerLike);
  connection.deliver(deleteBytes("invalid"));
  connection.deliver(deleteBytes("missing"));
  connection.deliver(activeTestBytes);
  await turns();
  expect(connection.sent).toEqual(
    Buffer.concat([statusReply(wireStatus.invalid), statusReply(wireStatus.notFound), okReply]),
  );
  expect(connection.ended).toBe(false);
});

test("an announced payload that does not fit the body is EINVAL, its bytes are dropped, then the session ends", async () => {
  for (const fileSize of [0, 99, 101, 2 ** 40]) {
    const { connection } = stage();
    connection.deliver(uploadBytes(pattern(100), "", fileSize).subarray(0, 60));
    await turns();
    expect(connection.sent).toEqual(statusReply(wireStatus.invalid));
    expect(connection.ended, "the rest is awaited first").toBe(false);
    connection.deliver(uploadBytes(pattern(100), "", fileSize).subarray(60));
    await turns();
    expect(connection.ended).toBe(true);
  }
});

test("a head that can never become valid is refused as soon as that is known", async () => {
  // A file name of a million bytes.
  const { connection } = stage();
  const head = Buffer.alloc(16);
  head.writeBigInt64BE(1_000_000n, 0);
  connection.deliver(Buffer.concat([headerBytes(2_000_000, appendFile.command, 0), head]));
  await turns();
  expect(connection.sent).toEqual(statusReply(wireStatus.invalid));
});

test("a streamed request shorter than its head is EINVAL", async () => {
  for (const length of [0, 1, 14]) {
    const { connection } = stage();
    connection.deliver(headerBytes(length, uploadFile.command, 0));
    for (let sent = 0; sent < length; sent += 1) connection.deliver(Buffer.alloc(1));
    await turns();
    expect(connection.sent, `${length} bytes`).toEqual(statusReply(wireStatus.invalid));
    expect(connection.ended).toBe(true);
  }
});

test("an error before the payload was read is answered at once, and the connection stays usable", async () => {
  const { connection } = stage();
  const upload = uploadBytes(pattern(100_000), "refuse");
  connection.deliver(upload.subarray(0, 1000));
  await turns();
  expect(connection.sent).toEqual(statusReply(wireStatus.noSpace));
  connection.deliver(Buffer.concat([upload.subarray(1000), activeTestBytes]));
  await turns();
  expect(connection.sent).toEqual(Buffer.concat([statusReply(wireStatus.noSpace), okReply]));
});

test("an error in the middle of a payload is answered at once, and the rest is dropped", async () => {
  const { connection } = stage();
  const upload = uploadBytes(pattern(100_000), "half");
  for (let at = 0; at < upload.length; at += 9999) {
    connection.deliver(upload.subarray(at, at + 9999));
    await turns(2);
  }
  connection.deliver(activeTestBytes);
  await turns();
  expect(connection.sent).toEqual(Buffer.concat([statusReply(wireStatus.ioError), okReply]));
});

test("a handler that answers without reading the payload does not disturb what follows", async () => {
  const { connection } = stage();
  connection.deliver(
    Buffer.concat([uploadBytes(pattern(50_000), "ignore"), uploadBytes(pattern(7))]),
  );
  await turns();
  expect(connection.sent.subarray(-uploadReply(pattern(7)).length)).toEqual(
    uploadReply(pattern(7)),
  );
});

test("of a refused payload beyond the limit nothing is awaited: our side is closed behind the reply", async () => {
  const { connection, session } = stage();
  const upload = uploadBytes(pattern(100), "refuse", 5_000_000);
  upload.writeBigInt64BE(5_000_015n, 0);
  connection.deliver(upload);
  await turns();
  expect(connection.sent).toEqual(statusReply(wireStatus.noSpace));
  expect(connection.ended).toBe(true);
  expect(connection.closed, "what still comes is read, so that no reset overtakes the reply").toBe(
    false,
  );
  expect(connection.paused).toBe(false);
  connection.deliver(pattern(1000));
  session.expire(timeoutMs, timeoutMs);
  expect(connection.closed).toBe(true);
});

test("lengths: negative closes; too long is EINVAL from a storage and silence from a tracker", async () => {
  const negative = stage();
  negative.connection.deliver(headerBytes(-1, 111, 0));
  expect([negative.connection.sent.length, negative.connection.closed]).toEqual([0, true]);

  const storage = stage();
  storage.connection.deliver(headerBytes(64 * 1024 + 1, 12, 0));
  expect(storage.connection.sent).toEqual(statusReply(wireStatus.invalid));
  expect([storage.connection.ended, storage.connection.closed]).toEqual([true, false]);

  const tracker = stage(trackerLike);
  tracker.connection.deliver(headerBytes(64 * 1024 + 1, 12, 0));
  expect([tracker.connection.sent.length, tracker.connection.closed]).toEqual([0, true]);
});

test("QUIT ends the session without a reply", async () => {
  const { connection } = stage();
  connection.deliver(Buffer.concat([activeTestBytes, quitBytes, activeTestBytes]));
  await turns();
  expect(connection.sent).toEqual(okReply);
  expect(connection.closed).toBe(true);
});

test("a peer that closes its side gets the replies to all it has asked", async () => {
  const { connection } = stage();
  const payload = pattern(50);
  connection.deliver(
    Buffer.concat([
      uploadBytes(payload, "late"),
      activeTestBytes,
      uploadBytes(payload, "late"),
      activeTestBytes,
    ]),
  );
  connection.deliverEnd();
  expect(connection.ended).toBe(false);
  await turns(10);
  const pair = [uploadReply(payload), okReply];
  expect(connection.sent).toEqual(Buffer.concat([...pair, ...pair]));
  expect(connection.closed).toBe(true);
  expect(connection.writesAfterEnd).toBe(0);
});

test("a peer that closes in the middle of a payload is gone, and its handler learns it", async () => {
  for (const extension of ["", "late"]) {
    const { connection, fixture } = stage();
    connection.deliver(uploadBytes(pattern(1000), extension).subarray(0, 500));
    connection.deliverEnd();
    await turns();
    expect(fixture.failures).toMatchObject([{ code: "flow-broken" }]);
    expect(connection.closed).toBe(true);
    expect(connection.sent.length).toBe(0);
    expect(connection.writesAfterEnd).toBe(0);
  }
});

test("a peer that closes in the middle of a header is answered nothing", async () => {
  const { connection } = stage();
  connection.deliver(activeTestBytes.subarray(0, 5));
  connection.deliverEnd();
  expect(connection.closed).toBe(true);
  expect(connection.sent.length).toBe(0);
});

test("a peer that has closed its side and not taken its reply yet still gets it", async () => {
  const { connection } = stage();
  connection.takesWrites = false;
  connection.deliver(activeTestBytes);
  connection.deliverEnd();
  expect([connection.ended, connection.closed]).toEqual([true, false]);
  connection.takeHeld();
  expect(connection.sent).toEqual(okReply);
});

test("a reply that cannot be written is our mistake: status, log, and a session that goes on", async () => {
  const { connection } = stage();
  const request = { group: "group1", filename: "wide", headerStatus: 0 };
  connection.deliver(requestBytes(queryFileInfo, request));
  await turns();
  connection.deliver(activeTestBytes);
  expect(connection.sent).toEqual(Buffer.concat([statusReply(wireStatus.ioError), okReply]));
});

test("what a handler throws without foresight is a status too", async () => {
  const { connection } = stage();
  connection.deliver(deleteBytes("bug"));
  expect(connection.sent).toEqual(statusReply(wireStatus.ioError));
});

test("a peer that asks on without reading is held back", async () => {
  const { connection } = stage();
  connection.takesWrites = false;
  let asked = 0;
  while (asked < 20_000) {
    connection.deliver(activeTestBytes);
    asked += 1;
  }
  expect(connection.unsentBytes).toBeLessThan(100 * 1024);
  expect(connection.sent.length).toBe(0);
  connection.takesWrites = true;
  while (connection.heldWrites > 0) {
    connection.takeHeld();
    await turns();
  }
  expect(connection.sent.length / okReply.length).toBe(asked);
});

test("a source is closed and its pieces are back after a download, a failure and a departure", async () => {
  const done = stage();
  done.connection.deliver(downloadBytes(200_000));
  await turns(40);
  expect(done.connection.sent.length).toBe(200_010);

  const failed = stage();
  failed.connection.deliver(downloadBytes(200_000, "fails"));
  await turns(20);
  expect(failed.connection.closed, "the length is promised already").toBe(true);

  const left = stage();
  left.connection.takesWrites = false;
  left.connection.deliver(downloadBytes(200_000));
  await turns();
  left.connection.close(new Error("reset"));
  await turns();

  const early = stage();
  early.connection.deliver(downloadBytes(200_000));
  early.connection.close(undefined);
  await turns();

  for (const { fixture, ended, connection } of [done, failed, left, early]) {
    expect(fixture.sources).toMatchObject([{ piecesOut: 0, closed: 1 }]);
    expect(ended).toBe(connection.closed ? 1 : 0);
  }
});

test("a download keeps few pieces on the way to a peer that does not read", async () => {
  const { connection, fixture, session } = stage();
  connection.takesWrites = false;
  connection.deliver(downloadBytes(10_000_000));
  await turns(20);
  expect(fixture.sources[0]?.piecesOut).toBeLessThanOrEqual(3);
  session.expire(timeoutMs - 1, timeoutMs);
  expect(connection.closed).toBe(false);
  session.expire(timeoutMs, timeoutMs);
  await turns();
  expect(connection.closed).toBe(true);
  expect(fixture.sources).toMatchObject([{ piecesOut: 0, closed: 1 }]);
});

test("time limits: a first request, a packet under way, but not an idle session", async () => {
  const silent = stage();
  silent.session.expire(timeoutMs, timeoutMs);
  expect(silent.connection.closed).toBe(true);

  const midPacket = stage();
  midPacket.connection.deliver(activeTestBytes);
  midPacket.connection.deliver(activeTestBytes.subarray(0, 3));
  midPacket.session.expire(timeoutMs, timeoutMs);
  expect(midPacket.connection.closed).toBe(true);

  const midPayload = stage();
  midPayload.connection.deliver(uploadBytes(pattern(1000)).subarray(0, 500));
  midPayload.session.expire(timeoutMs, timeoutMs);
  await turns();
  expect(midPayload.connection.closed).toBe(true);
  expect(midPayload.fixture.failures.length).toBe(1);

  const idle = stage();
  idle.connection.deliver(activeTestBytes);
  idle.session.expire(10 * timeoutMs, timeoutMs);
  expect(idle.connection.closed).toBe(false);
});

test("a payload that we keep waiting is no silence of the peer's", async () => {
  const { connection, session, fixture } = stage();
  const upload = uploadBytes(pattern(1000), "held");
  connection.deliver(upload.subarray(0, 500));
  expect(connection.paused).toBe(true);
  for (let now = 1000; now < 5 * timeoutMs; now += 1000) session.expire(now, timeoutMs);
  expect(connection.closed).toBe(false);
  fixture.release();
  await turns();
  connection.deliver(upload.subarray(500));
  await turns();
  expect(connection.sent).toEqual(uploadReply(pattern(1000)));
});

test("a session that is told to finish ends at once when idle, else behind its reply", async () => {
  const idle = stage();
  idle.connection.deliver(activeTestBytes);
  idle.session.finish();
  expect(idle.connection.closed).toBe(true);

  const busy = stage();
  busy.connection.deliver(uploadBytes(pattern(10), "held"));
  busy.session.finish();
  expect(busy.connection.closed).toBe(false);
  busy.fixture.release();
  await turns();
  expect(busy.connection.sent).toEqual(uploadReply(pattern(10)));
  expect(busy.connection.closed).toBe(true);

  const unread = stage();
  unread.connection.takesWrites = false;
  unread.connection.deliver(activeTestBytes);
  unread.session.finish();
  expect(unread.connection.closed, "its reply is not with the kernel yet").toBe(false);
  unread.connection.takeHeld();
  expect(unread.connection.closed).toBe(true);
});
