/**
 * Goal: clients that ask for a large file and then take nothing of it keep nobody else from the disk.
 * Method: sixty of them, over both ports, nearly as many as a path has large blocks; one good client beside them, whose large
 * transfers must be done long before the network timeout, 30 s, cuts the others.
 */
import { createConnection, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { LiveNode } from "../support/live-node.ts";
import { frame, type Place } from "../support/raw-connection.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const mebibyte = 1024 * 1024;
/** More than the kernel keeps for a connection on both sides. */
const content = Buffer.alloc(24 * mebibyte, "stalled reader ");
const stalledReaders = 60;
const timelyMs = 15_000;

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Asks, and reads nothing of the reply. */
function stall(place: Place, request: Uint8Array): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: place.address, port: place.port });
    sockets.push(socket);
    socket.pause();
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.write(request);
      resolve(socket);
    });
  });
}

function downloadRequest(name: string): Buffer {
  const head = Buffer.alloc(32);
  head.write("group1", 16);
  return frame(14, Buffer.concat([head, Buffer.from(name)]));
}

test("sixty clients that take nothing of what they asked for delay nobody else's large files", async () => {
  await using node = await LiveNode.start(() => ["node.stop_timeout=1s"]);
  const caller = await StorageCaller.connect(node.storage.port);
  const name = await caller.upload(content);
  const http = { address: "127.0.0.1", port: node.process.ports.gateway };
  for (let reader = 0; reader < stalledReaders; reader += 1) {
    if (reader % 2 === 0) await stall(node.storage, downloadRequest(name));
    else await stall(http, Buffer.from(`GET /group1/${name} HTTP/1.1\r\nHost: x\r\n\r\n`));
  }
  // Each has filled its socket and holds what it holds.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const started = performance.now();
  expect((await caller.download(name)).equals(content)).toBe(true);
  const second = await caller.upload(content.subarray(0, 3 * mebibyte));
  const over = await fetch(`http://127.0.0.1:${http.port}/group1/${second}`);
  expect((await over.arrayBuffer()).byteLength).toBe(3 * mebibyte);
  expect(performance.now() - started).toBeLessThan(timelyMs);
  // They did stall: nobody has been cut or served to the end meanwhile.
  expect(sockets.filter((socket) => socket.destroyed || socket.readableEnded)).toEqual([]);
  caller.close();
});
