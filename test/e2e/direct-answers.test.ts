/**
 * Goal: clients get exactly the bytes that they asked for, in order, whether the store path's thread writes them to the sockets itself or
 * not; and that thread never writes to a socket that is somebody else's by then, whatever hangs, breaks or leaves (issue 3, point 5).
 * Method: real nodes with and without `node:ffi`; clients that read in fits and starts, ask ahead, reset or leave; a disk that hangs in the
 * middle of a file (FUSE, as root only). Whether sockets are lent is seen in the node's descriptors.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { pattern } from "../support/frame-fixture.ts";
import { FuseMount, fuseNeeds } from "../support/fuse/fuse-mount.ts";
import { LiveNode } from "../support/live-node.ts";
import { needs } from "../support/needs.ts";
import { program } from "../support/node-process.ts";
import { frame } from "../support/raw-connection.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { until } from "../support/settled.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const onFuse = needs(...fuseNeeds);
const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
/** More than the kernel keeps for a connection on both sides while its reader waits. */
const manyBytes = 12 * mebibyte;
const limitMs = 90_000;

const directly = { way: "directly", environment: {} };
const without = { NODE_OPTIONS: "--no-experimental-ffi" };
const indirectly = { way: "by way of the main thread", environment: without };
/** The single executable hears nothing of `NODE_OPTIONS`. */
const ways = program().leading.length > 0 ? [directly, indirectly] : [directly];

const stages: AsyncDisposable[] = [];

afterEach(async () => {
  await using all = new AsyncDisposableStack();
  for (const stage of stages.splice(0)) all.use(stage);
});

async function nodeOf(way: typeof directly, ...settings: string[]): Promise<LiveNode> {
  const { environment } = way;
  const node = await LiveNode.start(() => ["tracker.reserved_space=0", ...settings], {
    environment,
  });
  stages.push(node);
  return node;
}

function downloadRequest(name: string, offset = 0, length = 0): Buffer {
  const head = Buffer.alloc(32);
  head.writeBigInt64BE(BigInt(offset), 0);
  head.writeBigInt64BE(BigInt(length), 8);
  head.write("group1", 16);
  return frame(14, Buffer.concat([head, Buffer.from(name)]));
}

function reply(content: Uint8Array): Buffer {
  const header = Buffer.alloc(10);
  header.writeBigInt64BE(BigInt(content.length), 0);
  header.writeUInt8(100, 8);
  return Buffer.concat([header, content]);
}

/** Sockets of a node, each as often as it has a descriptor of it. */
function sockets(node: LiveNode): string[] {
  const folder = `/proc/${node.process.pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      const target = readlinkSync(join(folder, name));
      return target.startsWith("socket:") ? [target] : [];
    } catch {
      return [];
    }
  });
}

/** Connections that the node has two descriptors of. */
function lentSockets(node: LiveNode): number {
  const all = sockets(node);
  return all.length - new Set(all).size;
}

/** Reads in pieces with pauses, so that the sender finds the socket full again and again. */
async function readInFits(socket: Socket, length: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let got = 0;
  socket.on("data", (chunk: Buffer) => {
    pieces.push(chunk);
    got += chunk.length;
    if (pieces.length % 40 !== 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), pieces.length % 7);
  });
  await until(() => got >= length || socket.destroyed, "the reply", 20_000);
  return Buffer.concat(pieces);
}

function connectTo(node: LiveNode): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: node.storage.address, port: node.storage.port });
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}

for (const way of ways) {
  const isDirect = way === directly;

  test(
    `answers that are written ${way.way} are whole and in order, sockets are lent if so, and none stays`,
    async () => {
      const node = await nodeOf(way);
      const before = sockets(node).length;
      const caller = await StorageCaller.connect(node.storage.port);
      const sizes = [1, 128 * kibibyte, 128 * kibibyte + 1, 300_000, manyBytes + 17];
      const files = [];
      for (const size of sizes) {
        const content = pattern(size, size % 251);
        files.push({ content, name: await caller.upload(content) });
      }
      const appended = pattern(3 * mebibyte, 9);
      files.push({ content: appended, name: await caller.upload(appended, { appender: true }) });
      caller.close();
      const asked = files.flatMap(({ content, name }) => {
        const third = Math.floor(content.length / 3);
        const ranges = [
          [0, 0],
          [third, 0],
          [0, third],
          [third, 2 * third + 5],
        ] as const;
        return ranges.map(([offset, length]) => ({
          request: downloadRequest(name, offset, length),
          reply: reply(content.subarray(offset, length === 0 ? undefined : offset + length)),
        }));
      });
      // All at once, as peers may that do not wait for replies.
      const socket = await connectTo(node);
      socket.write(Buffer.concat(asked.map(({ request }) => request)));
      const expected = Buffer.concat(asked.map((each) => each.reply));
      const received = await readInFits(socket, expected.length);
      expect(received.equals(expected)).toBe(true);
      expect(lentSockets(node)).toBe(isDirect ? 1 : 0);
      socket.destroy();
      await until(() => sockets(node).length <= before, "no socket is left");
    },
    limitMs,
  );

  test(
    `peers that leave or break in the middle of answers written ${way.way} cost nobody anything`,
    async () => {
      const node = await nodeOf(way);
      const before = sockets(node).length;
      const caller = await StorageCaller.connect(node.storage.port);
      const content = pattern(manyBytes, 3);
      const name = await caller.upload(content);
      for (let round = 0; round < 24; round += 1) {
        const socket = await connectTo(node);
        socket.on("error", () => {});
        if (round % 2 === 0) socket.pause();
        socket.write(downloadRequest(name));
        await new Promise((resolve) => setTimeout(resolve, round));
        if (round % 3 === 0) socket.resetAndDestroy();
        else if (round % 3 === 1) socket.destroy();
        else socket.end(() => setTimeout(() => socket.destroy(), 20));
      }
      expect((await caller.download(name)).equals(content)).toBe(true);
      const part = await caller.download(name, 1000, 200_000);
      expect(part.equals(content.subarray(1000, 201_000))).toBe(true);
      caller.close();
      await until(() => sockets(node).length <= before, "no socket is left");
    },
    limitMs,
  );

  test(
    `a peer that has closed its side still gets its answer ${way.way}, and then the end`,
    async () => {
      const node = await nodeOf(way);
      const caller = await StorageCaller.connect(node.storage.port);
      const content = pattern(2 * mebibyte, 5);
      const name = await caller.upload(content);
      caller.close();
      const peer = await RawPeer.open(node.storage.port);
      peer.send(downloadRequest(name), downloadRequest(name, 5));
      peer.socket.end();
      await peer.untilEnd();
      const both = Buffer.concat([reply(content), reply(content.subarray(5))]);
      expect(peer.received.equals(both)).toBe(true);
      peer.destroy();
    },
    limitMs,
  );
}

onFuse(
  "a disk that hangs while a file goes to a socket: the connection ends at the deadline, and what the disk gives later goes to nobody",
  async () => {
    const disk = await FuseMount.start();
    stages.push(disk);
    const node = await nodeOf(directly, `storage.path=${disk.path}`, "storage.disk_timeout=2s");
    const before = sockets(node).length;
    const caller = await StorageCaller.connect(node.storage.port);
    const content = pattern(manyBytes, 7);
    const name = await caller.upload(content);
    const base = name.slice(name.lastIndexOf("/") + 1);
    await disk.inject({ operations: ["read"], path: base, after: 3, action: { kind: "hang" } });
    const cut = await RawPeer.open(node.storage.port);
    cut.send(downloadRequest(name));
    await until(() => cut.closed || cut.ended, "the connection ends", 20_000);
    expect(cut.received.length).toBeLessThan(content.length);
    const came = cut.received.subarray(10);
    expect(came.length).toBeGreaterThan(0);
    expect(came.equals(content.subarray(0, came.length))).toBe(true);
    // The thread still has the socket; whoever comes now must not get what it writes when the disk goes on.
    const others = await Promise.all([1, 2, 3, 4].map(() => RawPeer.open(node.storage.port)));
    await disk.clear();
    await until(
      () => node.log.some((line) => line.event === "store-path-back"),
      "the path is back",
      30_000,
    );
    expect(others.map((peer) => peer.received.length)).toEqual([0, 0, 0, 0]);
    for (const peer of others) {
      peer.send(downloadRequest(name));
      const expected = reply(content);
      expect((await peer.expect(expected.length)).equals(expected)).toBe(true);
      peer.destroy();
    }
    caller.close();
    cut.destroy();
    await until(() => sockets(node).length <= before, "no socket is left");
  },
  limitMs,
);
