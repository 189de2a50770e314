/**
 * Goal: a large file needs no more memory than a small one (issue: 10 GiB like 10 KiB), whichever way it comes and goes, and
 * arrives whole.
 * Method: the kernel's own high-water mark of the node's resident memory, set back between two loads: many files of 10 KiB by
 * eight clients, then one file of 1.5 GiB (`CAIRN_LARGE_GIB` for another size) that is made while it is sent. Linux only.
 */
import { readFileSync, statfsSync, writeFileSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { expect } from "vitest";
import { FrameClient } from "#net/frame-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { storageFiles } from "#protocol/fastdfs/storage-files.ts";
import { contentBlockBytes, LargeContent } from "../support/large-content.ts";
import { LiveNode } from "../support/live-node.ts";
import { type Need, needs } from "../support/needs.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const mebibyte = 1024 ** 2;
const gibibytes = Number(process.env.CAIRN_LARGE_GIB ?? 1.5);
const content = new LargeContent(Math.round(gibibytes * 1024));
/** Above the peak with small files. */
const allowedBytes = 48 * mebibyte;
const ranges = 4;
const limitMs = Math.max(1, gibibytes / 1.5) * 120_000;

const large = needs(highWaterMark(), room(content.length + 1024 * mebibyte));

/** A high-water mark of memory that can be set back. */
function highWaterMark(): Need {
  return { what: "/proc/self/clear_refs", present: process.platform === "linux", how: "Linux" };
}

function room(bytes: number): Need {
  const { bavail, bsize } = statfsSync(tmpdir());
  const how = "free some, or point TMPDIR elsewhere";
  return {
    what: `${Math.round(bytes / mebibyte)} MiB in ${tmpdir()}`,
    present: bavail * bsize > bytes,
    how,
  };
}

/** Most resident bytes of the process since `forgetPeak`. */
function peakBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) * 1024;
}

function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Files of 10 KiB, up and down, over both ports. */
async function smallLoad(node: LiveNode): Promise<void> {
  const bytes = Buffer.alloc(10 * 1024, "small");
  const base = `http://127.0.0.1:${node.process.ports.gateway}`;
  const clients = Array.from({ length: 8 }, async () => {
    const storage = await StorageCaller.connect(node.storage.port);
    for (let round = 0; round < 100; round += 1) {
      const name = await storage.upload(bytes);
      expect((await storage.download(name)).equals(bytes)).toBe(true);
      const over = await fetch(`${base}/upload`, { method: "PUT", body: bytes });
      expect(over.status).toBe(201);
      await over.body?.cancel();
      expect((await (await fetch(`${base}/group1/${name}`)).arrayBuffer()).byteLength).toBe(
        bytes.length,
      );
      await storage.remove(name);
    }
    storage.close();
  });
  await Promise.all(clients);
}

async function ask<Result>(
  node: LiveNode,
  call: (storage: StorageCaller) => Promise<Result>,
): Promise<Result> {
  const storage = await StorageCaller.connect(node.storage.port);
  try {
    return await call(storage);
  } finally {
    storage.close();
  }
}

function connect(node: LiveNode): Promise<FrameClient> {
  return FrameClient.connect(
    { ...node.storage, timeoutMs: 5000 },
    { network: new NodeNetwork(), clock: nodeClock, networkTimeoutMs: 60_000 },
  );
}

async function uploadOverPort(node: LiveNode): Promise<string> {
  const client = await connect(node);
  const fields = { storePathIndex: 255, fileSize: content.length, extension: "bin" };
  const { filename } = await client.upload(storageFiles.uploadFile, fields, content.source());
  client.close();
  return filename;
}

async function downloadOverPort(node: LiveNode, filename: string): Promise<number> {
  const client = await connect(node);
  const fields = { group: "group1", filename, offset: 0, length: 0 };
  const flow = await client.download(storageFiles.downloadFile, fields);
  let sum = 0;
  await flow.drainTo({
    write: (chunk) => {
      sum = crc32(chunk, sum);
      return true;
    },
  });
  client.close();
  return sum;
}

/** `chunked` leaves the length out. */
async function uploadOverHttp(node: LiveNode, how: "length" | "chunked"): Promise<string> {
  const headers = how === "length" ? { "Content-Length": content.length } : {};
  const { gateway: port } = node.process.ports;
  const sent = request({ port, host: "127.0.0.1", path: "/upload", method: "PUT", headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve).once("error", reject);
  });
  await pipeline(Readable.from(content, { objectMode: true, highWaterMark: 2 }), sent);
  const reply = await answered;
  let text = "";
  for await (const chunk of reply) text += String(chunk);
  expect([reply.statusCode, text]).toEqual([201, expect.stringContaining("M00")]);
  return (JSON.parse(text) as { readonly name: string }).name;
}

/** Each range over a connection of its own, at the same time; their sums. */
async function downloadRanges(node: LiveNode, name: string): Promise<number[]> {
  const agent = new Agent({ maxSockets: ranges });
  const { gateway: port } = node.process.ports;
  const sums = rangeBounds().map(async ({ start, end }) => {
    const headers = { Range: `bytes=${start}-${end - 1}` };
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { agent, port, host: "127.0.0.1", path: `/group1/${name}`, headers };
      request(options, resolve).once("error", reject).end();
    });
    expect(reply.statusCode).toBe(206);
    let sum = 0;
    for await (const chunk of reply) sum = crc32(chunk as Buffer, sum);
    return sum;
  });
  const found = await Promise.all(sums);
  agent.destroy();
  return found;
}

function rangeBounds(): { readonly start: number; readonly end: number }[] {
  const step = Math.ceil(content.length / ranges / contentBlockBytes) * contentBlockBytes;
  return Array.from({ length: ranges }, (_, range) => ({
    start: range * step,
    end: Math.min(content.length, (range + 1) * step),
  }));
}

large(
  `a file of ${gibibytes} GiB takes no more memory than files of 10 KiB, and comes back whole`,
  async () => {
    const sum = content.crc();
    const rangeSums = rangeBounds().map(({ start, end }) => content.crc(start, end));
    await using node = await LiveNode.start();
    const { pid } = node.process;
    // The first load brings code and heap to where they stay.
    await smallLoad(node);
    forgetPeak(pid);
    await smallLoad(node);
    const smallPeak = peakBytes(pid);
    const above: Record<string, number> = {};
    const step = async <Result>(what: string, run: () => Promise<Result>): Promise<Result> => {
      forgetPeak(pid);
      const started = performance.now();
      const result = await run();
      const peak = peakBytes(pid);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      above[`${what} (${seconds} s)`] = Math.round((peak - smallPeak) / mebibyte);
      expect(peak - smallPeak, what).toBeLessThan(allowedBytes);
      return result;
    };

    const first = await step("upload", () => uploadOverPort(node));
    const described = { fileSize: content.length, crc32: sum };
    expect(await ask(node, (storage) => storage.info(first))).toMatchObject(described);
    expect(await step("download", () => downloadOverPort(node, first))).toBe(sum);
    expect(await step("ranges", () => downloadRanges(node, first))).toEqual(rangeSums);
    await ask(node, (storage) => storage.remove(first));
    for (const how of ["length", "chunked"] as const) {
      const name = await step(`PUT, ${how}`, () => uploadOverHttp(node, how));
      expect(await ask(node, (storage) => storage.info(name))).toMatchObject(described);
      await ask(node, (storage) => storage.remove(name));
    }
    if (process.env.CAIRN_LARGE_GIB === undefined) return;
    console.info(`peak with small files ${Math.round(smallPeak / mebibyte)} MiB; above it`, above);
  },
  limitMs,
);
