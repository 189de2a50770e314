/** The calling end against a real server, and against raw sockets that answer wrongly, late or never. */
import { createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type ByteSource, collect, sourceOfBytes } from "#net/byte-flow.ts";
import { FrameClient } from "#net/frame-client.ts";
import { FrameServer } from "#net/frame-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { common } from "#protocol/fastdfs/common.ts";
import {
  deleteFile,
  downloadFile,
  queryFileInfo,
  uploadFile,
} from "#protocol/fastdfs/storage-files.ts";
import {
  frameFixture,
  headerBytes,
  okReply,
  PatternSource,
  pattern,
  statusReply,
  storageLike,
  uploadReply,
} from "../../support/frame-fixture.ts";
import { turns, until } from "../../support/settled.ts";

const cleanups: (() => unknown)[] = [];
const network = new NodeNetwork();

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function clientOf(port: number, networkTimeoutMs = 5000): Promise<FrameClient> {
  const where = { address: "127.0.0.1", port, timeoutMs: 2000 };
  const client = await FrameClient.connect(where, { network, clock: nodeClock, networkTimeoutMs });
  cleanups.push(() => client.destroy());
  return client;
}

async function served(): Promise<FrameClient> {
  const { handlers } = frameFixture();
  const server = new FrameServer<undefined>(storageLike({ network, clock: nodeClock, handlers }));
  const [listener] = await server.listen(["127.0.0.1"], 0);
  cleanups.push(() => server.stop(0));
  return clientOf(listener?.port ?? 0);
}

/** A server whose sockets the test answers by hand. */
async function byHand(
  onSocket: (socket: Socket) => void,
  networkTimeoutMs?: number,
): Promise<FrameClient> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    onSocket(socket);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return clientOf((server.address() as { port: number }).port, networkTimeoutMs);
}

const file = { group: "group1", filename: "M00/00/00/some" };
const request = (fileSize: number, extension = "") => ({
  storePathIndex: 255,
  fileSize,
  extension,
});

test("calls, uploads and downloads follow each other on one connection", async () => {
  const client = await served();
  for (const size of [0, 1, 70_000, 3_000_000]) {
    await client.call(common.activeTest, undefined);
    const source = new PatternSource(size);
    const stored = await client.upload(uploadFile, request(size), source);
    // Else a file that was sent to its end would stay open for good.
    expect(source).toMatchObject({ piecesOut: 0, closed: 1 });
    expect(stored.filename).toBe(uploadReply(pattern(size)).subarray(26).toString());
    const flow = await client.download(downloadFile, { ...file, offset: 0, length: size });
    expect(flow.length).toBe(size);
    expect((await collect(flow)).equals(pattern(size))).toBe(true);
    expect(client.usable).toBe(true);
  }
});

test("a status is an error that leaves the connection usable, except behind a payload", async () => {
  const client = await served();
  const missing = client.call(deleteFile, { ...file, filename: "missing" });
  await expect(missing).rejects.toMatchObject({ status: 2 });
  expect(client.usable).toBe(true);
  const source = new PatternSource(5_000_000);
  const refused = client.upload(uploadFile, request(5_000_000, "refuse"), source);
  await expect(refused).rejects.toMatchObject({ status: 28 });
  expect(client.usable).toBe(false);
  await turns();
  expect(source).toMatchObject({ piecesOut: 0, closed: 1 });
});

test("a source that fails or lies about its length ends the connection, at once", async () => {
  for (const source of [
    new PatternSource(100_000, { failAt: 40_000 }),
    { ...sourceOfBytes(pattern(99_999)), length: 100_000 },
    { ...sourceOfBytes(pattern(100_001)), length: 100_000 },
  ] satisfies ByteSource[]) {
    const client = await served();
    await expect(client.upload(uploadFile, request(100_000), source)).rejects.toThrow();
    expect(client.usable).toBe(false);
  }
});

test("while a download is not drained the connection is not usable", async () => {
  const client = await served();
  const flow = await client.download(downloadFile, { ...file, offset: 0, length: 1000 });
  expect(client.usable).toBe(false);
  await collect(flow);
  expect(client.usable).toBe(true);
});

test("a download that nobody drains for a while is no silent peer", async () => {
  for (const length of [1000, 2_000_000]) {
    const { handlers } = frameFixture();
    const server = new FrameServer<undefined>(storageLike({ network, clock: nodeClock, handlers }));
    const [listener] = await server.listen(["127.0.0.1"], 0);
    cleanups.push(() => server.stop(0));
    const client = await clientOf(listener?.port ?? 0, 150);
    const flow = await client.download(downloadFile, { ...file, offset: 0, length });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await collect(flow)).equals(pattern(length))).toBe(true);
  }
});

test("silence ends the exchange after the time limit, before and within a reply", async () => {
  for (const answer of [Buffer.alloc(0), headerBytes(40, 100, 0)]) {
    const client = await byHand((socket) => socket.write(answer), 100);
    let broken = 0;
    client.onBroken = () => {
      broken += 1;
    };
    const info = client.call(queryFileInfo, { ...file, headerStatus: 0 });
    await expect(info).rejects.toMatchObject({ code: "peer-silent" });
    expect([client.usable, broken]).toEqual([false, 1]);
  }
});

test("silence within a download breaks its flow", async () => {
  const client = await byHand((socket) => {
    socket.once("data", () => socket.write(Buffer.concat([headerBytes(100, 100, 0), pattern(10)])));
  }, 100);
  const flow = await client.download(downloadFile, { ...file, offset: 0, length: 100 });
  await expect(collect(flow)).rejects.toMatchObject({
    code: "flow-broken",
    cause: { code: "peer-silent" },
  });
});

test("replies that make no sense end the connection", async () => {
  const bad: Buffer[] = [
    headerBytes(-5, 100, 0),
    headerBytes(0, 99, 0),
    headerBytes(2 ** 50, 100, 0),
    Buffer.concat([headerBytes(3, 100, 0), pattern(3)]),
    Buffer.concat([okReply, okReply]),
  ];
  for (const reply of bad) {
    const client = await byHand((socket) => socket.once("data", () => socket.write(reply)));
    const info = client.call(queryFileInfo, { ...file, headerStatus: 0 });
    await expect(info).rejects.toMatchObject({ code: "peer-misbehaved" });
    await until(() => !client.usable, "the connection is given up");
  }
});

test("what comes unasked ends the connection", async () => {
  const client = await byHand((socket) =>
    socket.once("data", () => socket.write(Buffer.concat([okReply, okReply]))),
  );
  await client.call(common.activeTest, undefined);
  await until(() => !client.usable, "the connection is given up");
});

test("a peer that closes while it is asked breaks the exchange, with a payload under way too", async () => {
  const client = await byHand((socket) => socket.once("data", () => socket.destroy()));
  const call = client.call(common.activeTest, undefined);
  await expect(call).rejects.toMatchObject({ code: "flow-broken" });
  const other = await byHand((socket) => socket.once("data", () => socket.destroy()));
  const source = new PatternSource(50_000_000);
  await expect(other.upload(uploadFile, request(50_000_000), source)).rejects.toMatchObject({
    code: "flow-broken",
  });
  await turns();
  expect(source).toMatchObject({ piecesOut: 0, closed: 1 });
});

test("a refusal with a body is read whole", async () => {
  const reply = Buffer.concat([headerBytes(4, 100, 2), pattern(4)]);
  const client = await byHand((socket) => socket.on("data", () => socket.write(reply)));
  for (let round = 0; round < 2; round += 1) {
    const call = client.call(common.activeTest, undefined);
    await expect(call).rejects.toMatchObject({ status: 2 });
  }
});

test("a reply in single bytes is put together", async () => {
  const client = await byHand((socket) => {
    socket.setNoDelay(true);
    socket.once("data", async () => {
      for (const byte of Buffer.concat([headerBytes(40, 100, 0), Buffer.alloc(40)])) {
        socket.write(Buffer.of(byte));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
  });
  const info = await client.call(queryFileInfo, { ...file, headerStatus: 0 });
  expect(info.fileSize).toBe(0);
});

test("closing ends what waits, and the other side sees it", async () => {
  let ended = 0;
  const client = await byHand((socket) => {
    socket.on("end", () => {
      ended += 1;
    });
    socket.resume();
  });
  const waiting = client.call(common.activeTest, undefined);
  client.close();
  await expect(waiting).rejects.toMatchObject({ code: "flow-broken" });
  await expect(client.call(common.activeTest, undefined)).rejects.toMatchObject({
    code: "flow-broken",
  });
  await until(() => ended === 1, "the end reaches the other side");
});

test("nobody there is unreachable", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  await expect(clientOf(port)).rejects.toMatchObject({ code: "peer-unreachable" });
});

test("a status reply to an upload that comes early stops the sending", async () => {
  const client = await byHand((socket) => {
    socket.once("data", () => {
      socket.pause();
      socket.write(statusReply(28));
    });
  });
  const source = new PatternSource(60_000_000);
  const refused = client.upload(uploadFile, request(60_000_000), source);
  await expect(refused).rejects.toMatchObject({ status: 28 });
  expect(source.closed).toBe(1);
});
