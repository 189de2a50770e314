/** The server on real sockets of the loopback: what only the kernel shows, such as resets, half-closed ends and full buffers. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { FrameServer, type FrameServerOptions } from "#net/frame-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { wireStatus } from "#protocol/wire-status.ts";
import {
  activeTestBytes,
  deleteBytes,
  downloadBytes,
  type FrameFixture,
  frameFixture,
  headerBytes,
  okReply,
  pattern,
  quitBytes,
  statusReply,
  storageLike,
  uploadBytes,
  uploadReply,
} from "../../support/frame-fixture.ts";
import { RawPeer } from "../../support/raw-peer.ts";
import { turns, until } from "../../support/settled.ts";

interface Stage {
  readonly server: FrameServer<undefined>;
  readonly fixture: FrameFixture;
  readonly port: number;
  peer(): Promise<RawPeer>;
}

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function stage(
  changes: Partial<FrameServerOptions<undefined>> = {},
  addresses: readonly string[] = ["127.0.0.1"],
): Promise<Stage> {
  const fixture = frameFixture();
  const { handlers } = fixture;
  const server = new FrameServer<undefined>({
    ...storageLike({ network: new NodeNetwork(), clock: nodeClock, handlers }),
    ...changes,
  });
  const listeners = await server.listen(addresses, 0);
  cleanups.push(() => server.stop(0));
  const port = listeners[0]?.port ?? 0;
  const peer = async (): Promise<RawPeer> => {
    const opened = await RawPeer.open(port);
    cleanups.push(() => opened.destroy());
    return opened;
  };
  return { server, fixture, port, peer };
}

test("a small reply comes in one read, header and body together", async () => {
  const { peer } = await stage();
  const client = await peer();
  for (let round = 1; round <= 20; round += 1) {
    client.send(uploadBytes(pattern(100)));
    await client.expect(round * uploadReply(pattern(100)).length);
    client.send(downloadBytes(0));
    await until(() => client.reads.length === 2 * round, "the reply");
    client.received = client.received.subarray(0, -10);
  }
  client.reads.length = 0;
  client.send(downloadBytes(4000));
  await until(() => client.reads.length > 0, "the reply");
  expect(client.reads[0]).toBe(4010);
});

test("requests in single bytes, and many in one segment, get their replies in order", async () => {
  const { peer } = await stage();
  const client = await peer();
  const payload = pattern(300);
  const stream = [activeTestBytes, uploadBytes(payload, "late"), deleteBytes("missing")];
  const replies = Buffer.concat([okReply, uploadReply(payload), statusReply(wireStatus.notFound)]);
  client.send(...stream, ...stream, ...stream);
  expect(await client.expect(3 * replies.length)).toEqual(
    Buffer.concat([replies, replies, replies]),
  );
  client.received = Buffer.alloc(0);
  await client.sendSlowly(Buffer.concat(stream).subarray(0, 80), 1);
  client.send(Buffer.concat(stream).subarray(80));
  expect(await client.expect(replies.length)).toEqual(replies);
});

test("large uploads of many clients at once arrive whole", async () => {
  const { peer } = await stage();
  const replies = await Promise.all(
    [1, 2, 3, 4, 5].map(async (seed) => {
      const client = await peer();
      const payload = pattern(2_000_000 + seed, seed);
      client.send(uploadBytes(payload, seed % 2 === 0 ? "late" : ""));
      return [await client.expect(uploadReply(payload).length), uploadReply(payload)];
    }),
  );
  for (const [got, wanted] of replies) expect(got).toEqual(wanted);
});

test("a refused payload is read and dropped: the reply comes, no reset, and the connection goes on", async () => {
  const { peer } = await stage();
  const client = await peer();
  client.send(uploadBytes(pattern(20_000_000), "refuse"), activeTestBytes);
  const replies = Buffer.concat([statusReply(wireStatus.noSpace), okReply]);
  expect(await client.expect(replies.length)).toEqual(replies);
  expect(client.error).toBeUndefined();
});

test("EINVAL from a storage reaches its client before the connection ends, with a payload still on its way", async () => {
  const { peer } = await stage();
  const client = await peer();
  client.send(uploadBytes(pattern(3_000_000), "", 5));
  await client.untilEnd();
  expect(client.received).toEqual(statusReply(wireStatus.invalid));
  expect(client.error).toBeUndefined();
});

test("a length over the limit: EINVAL and the end from a storage, only the end from a tracker", async () => {
  const storage = await (await stage()).peer();
  storage.send(headerBytes(2 ** 40, 12, 0), pattern(500_000));
  await storage.untilEnd();
  expect([storage.received, storage.error]).toEqual([statusReply(wireStatus.invalid), undefined]);
  const tracker = await (await stage({ answersOversized: false })).peer();
  tracker.send(headerBytes(2 ** 40, 12, 0));
  await tracker.untilEnd();
  expect(tracker.received.length).toBe(0);
});

test("QUIT closes; a client that closes its side gets its reply first", async () => {
  const { peer, server } = await stage();
  const leaving = await peer();
  leaving.send(quitBytes);
  await leaving.untilEnd();
  const half = await peer();
  half.send(uploadBytes(pattern(10), "late"), activeTestBytes);
  half.socket.end();
  await half.untilEnd();
  expect(half.received).toEqual(Buffer.concat([uploadReply(pattern(10)), okReply]));
  leaving.destroy();
  await until(() => server.connections.current === 0, "no session is left");
});

test("a client that stops in the middle of an upload is forgotten", async () => {
  const { peer, server, fixture } = await stage();
  for (const end of ["end", "resetAndDestroy"] as const) {
    const client = await peer();
    client.send(uploadBytes(pattern(1000)).subarray(0, 700));
    await turns(5);
    client.socket[end]();
    await until(() => server.connections.current === 0, "the session ends");
  }
  expect(fixture.failures).toMatchObject([{ code: "flow-broken" }, { code: "flow-broken" }]);
});

test("a client that vanishes in the middle of a download leaves nothing open", async () => {
  const { peer, server, fixture } = await stage();
  const client = await peer();
  client.send(downloadBytes(50_000_000));
  await client.expect(100_000);
  client.socket.resetAndDestroy();
  await until(() => server.connections.current === 0, "the session ends");
  expect(fixture.sources).toMatchObject([{ piecesOut: 0, closed: 1 }]);
});

test("a client that stops reading is cut after the network timeout, and others go on meanwhile", async () => {
  const { peer, server, fixture } = await stage({ networkTimeoutMs: 1000 });
  const stuck = await peer();
  stuck.socket.pause();
  stuck.send(downloadBytes(60_000_000));
  const other = await peer();
  for (let round = 1; round <= 10; round += 1) {
    other.send(activeTestBytes);
    await other.expect(round * okReply.length);
  }
  await until(() => server.connections.current === 1, "the stuck session ends", 6000);
  expect(fixture.sources).toMatchObject([{ piecesOut: 0, closed: 1 }]);
  other.send(activeTestBytes);
  await other.expect(11 * okReply.length);
});

test("time limits: no first request, half a packet, half a payload; idle sessions stay", async () => {
  const { peer, server } = await stage({ networkTimeoutMs: 1000 });
  const idle = await peer();
  idle.send(activeTestBytes);
  const stalled = [await peer(), await peer(), await peer()];
  stalled[1]?.send(activeTestBytes.subarray(0, 9));
  stalled[2]?.send(uploadBytes(pattern(1000)).subarray(0, 500));
  for (const client of stalled) await client.untilEnd();
  expect(server.connections.current).toBe(1);
  idle.send(activeTestBytes);
  await idle.expect(2 * okReply.length);
});

test("addresses that are not admitted are closed without a byte", async () => {
  const { peer, server } = await stage({ admits: () => false });
  const client = await peer();
  await client.untilEnd();
  expect([client.received.length, server.connections.refused]).toEqual([0, 1]);
});

test("with every connection proven, further ones are refused", async () => {
  const { peer, server } = await stage({ maxConnections: 3 });
  const proven = [await peer(), await peer(), await peer()];
  for (const client of proven) {
    client.send(activeTestBytes);
    await client.expect(okReply.length);
  }
  await (await peer()).untilEnd();
  expect(server.connections).toMatchObject({ current: 3, peak: 3, limit: 3, refused: 1 });
});

/**
 * Goal: half-open connections never lock clients out. Method: ten thousand of them from another process against a server
 * that takes a thousand, while a proven session keeps asking and new clients keep coming.
 */
test("ten thousand half-open connections delay nobody", async () => {
  const { peer, server, port } = await stage({ maxConnections: 1000 });
  const proven = await peer();
  proven.send(activeTestBytes);
  await proven.expect(okReply.length);
  const script = new URL("../../support/half-open-flood.ts", import.meta.url).pathname;
  const flood = spawn(process.execPath, [script, String(port), "10000"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  cleanups.push(() => flood.kill());
  let done = false;
  flood.stdout.on("data", () => {
    done = true;
  });
  let slowestMs = 0;
  let asked = 1;
  while (!done) {
    const startMs = performance.now();
    proven.send(activeTestBytes);
    asked += 1;
    await proven.expect(asked * okReply.length);
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    // A new client may have to knock twice, after a second: the kernel's queue of newcomers overflows for moments.
    const fresh = await peer();
    fresh.send(activeTestBytes);
    await fresh.expect(okReply.length);
    fresh.destroy();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(server.connections.current).toBeLessThanOrEqual(1000);
  expect(asked).toBeGreaterThan(2);
  expect(slowestMs).toBeLessThan(500);
}, 30_000);

test("several addresses share one port, and an address that is taken leaves nothing open", async () => {
  const { server, port } = await stage({}, ["127.0.0.1", "127.0.0.2"]);
  for (const address of ["127.0.0.1", "127.0.0.2"]) {
    const client = await RawPeer.open(port, address);
    client.send(activeTestBytes);
    await client.expect(okReply.length);
    client.destroy();
  }
  await server.stop(0);
  const taken = createServer().listen(0, "127.0.0.2");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port: takenPort } = taken.address() as { port: number };
  const { handlers } = frameFixture();
  const second = new FrameServer<undefined>(
    storageLike({ network: new NodeNetwork(), clock: nodeClock, handlers }),
  );
  const listening = second.listen(["127.0.0.1", "127.0.0.2"], takenPort);
  await expect(listening).rejects.toMatchObject({ code: "EADDRINUSE" });
  await expect(RawPeer.open(takenPort)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  taken.close();
});

test("a stop ends idle sessions at once, waits for exchanges under way, and no longer than told", async () => {
  const { server, peer, fixture, port } = await stage();
  const idle = await peer();
  idle.send(activeTestBytes);
  await idle.expect(okReply.length);
  const busy = await peer();
  busy.send(uploadBytes(pattern(10), "held"));
  await until(() => fixture.held() === 1, "the handler runs");
  let stopped = false;
  const stopping = server.stop(20_000).then(() => {
    stopped = true;
  });
  await idle.untilEnd();
  await expect(RawPeer.open(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(stopped).toBe(false);
  fixture.release();
  await stopping;
  await busy.untilEnd();
  expect(busy.received).toEqual(uploadReply(pattern(10)));

  const late = await stage();
  const stuck = await late.peer();
  stuck.send(uploadBytes(pattern(10), "held"));
  await until(() => late.fixture.held() === 1, "the handler runs");
  const startMs = performance.now();
  await late.server.stop(200);
  expect(performance.now() - startMs).toBeLessThan(2000);
  await stuck.untilEnd();
});

test("each session's end is told once", async () => {
  const ends: string[] = [];
  const { peer } = await stage({ onSessionEnd: (session) => ends.push(session.remoteAddress) });
  const client = await peer();
  client.send(quitBytes);
  await client.untilEnd();
  await until(() => ends.length > 0, "the end is told");
  await turns();
  expect(ends).toEqual(["127.0.0.1"]);
});

test("a server that begins to listen late gives its first clients their whole time", async () => {
  const fixture = frameFixture();
  const { handlers } = fixture;
  const server = new FrameServer<undefined>({
    ...storageLike({ network: new NodeNetwork(), clock: nodeClock, handlers }),
    networkTimeoutMs: 1500,
  });
  await new Promise((resolve) => setTimeout(resolve, 1600));
  const [listener] = await server.listen(["127.0.0.1"], 0);
  cleanups.push(() => server.stop(0));
  const client = await RawPeer.open(listener?.port ?? 0);
  cleanups.push(() => client.destroy());
  await new Promise((resolve) => setTimeout(resolve, 1200));
  client.send(activeTestBytes);
  await client.expect(okReply.length);
});
