/**
 * Goal: our client understands what C FastDFS answers, and asks as FastDFS's own clients do.
 * Method: first every recorded reply goes to a `FrameClient` that sends the recorded request: what it understood, written again,
 * must give the same bytes. Then a tracker and a storage that answer as recorded serve the client library, which does what the
 * recorded clients did: its requests and what it gives back are compared with the recording.
 */
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { FastdfsClient } from "#client/fastdfs-client.ts";
import { collect, sourceOfBytes } from "#net/byte-flow.ts";
import { FrameClient } from "#net/frame-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { narrowAddresses } from "#protocol/codec.ts";
import { headerSize } from "#protocol/header.ts";
import type { Message } from "#protocol/message.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import { bytesOf, type Recording, readRecording } from "../support/recordings.ts";
import { decodeRequest, encodeReply } from "../support/wire-vectors.ts";
import { isWellFormed, outcomeOf, requestFacts, stepOf } from "./recorded/client-steps.ts";
import { frameOf, messageOf } from "./recorded/replay.ts";
import { ScriptedCluster } from "./recorded/scripted-cluster.ts";

const network = new NodeNetwork();

/** C leaves what was in its memory behind the texts of these replies, which nobody repeats. */
const withGarbage = new Set(["trackerClusterStat", "storageClusterStat", "storageVolumeStat"]);

for (const name of ["normal", "trunk"]) {
  test(`a frame client understands every reply of the recording "${name}" whole`, async () => {
    const { exchanges } = readRecording(name);
    for (const pieces of ["one piece", "pieces of 7 bytes"] as const) {
      const differences: unknown[] = [];
      for (const [at, exchange] of exchanges.entries()) {
        const request = bytesOf(exchange.request);
        const reply = bytesOf(exchange.reply ?? "");
        if (!isWellFormed(request)) continue;
        if (pieces !== "one piece" && reply.length > 10_000) continue;
        const got = await exchanged(request, reply, pieces === "one piece" ? reply.length : 7);
        const message = messageOf(request);
        const isSame = withGarbage.has(message.name)
          ? got.understood.length === reply.length
          : got.understood.equals(reply);
        if (!isSame || !got.sent.equals(request)) {
          differences.push({
            at,
            message: message.name,
            understood: got.understood.toString("hex"),
            reply: reply.toString("hex"),
          });
        }
      }
      expect(differences).toEqual([]);
    }
  });

  test(`the client library does what the clients of the recording "${name}" did`, async () => {
    const recording = readRecording(name);
    await using cluster = new ScriptedCluster(recording);
    await cluster.start();
    const trackers = [{ address: "127.0.0.1", port: cluster.trackerPort }];
    await using client = new FastdfsClient({ trackers, network, clock: nodeClock });
    const differences: unknown[] = [];
    let steps = 0;
    for (const [at, exchange] of ofStorages(recording)) {
      const request = bytesOf(exchange.request);
      const step = stepOf(request, frameOf(bytesOf(exchange.reply ?? "")));
      if (step === undefined) continue;
      cluster.expected = exchange;
      cluster.asked = [];
      const outcome = await outcomeOf(step.run(client));
      steps += 1;
      const found = {
        at,
        outcome,
        asked: requestFacts(cluster.asked[0] ?? Buffer.alloc(headerSize)),
      };
      const wanted = { at, outcome: step.expected, asked: requestFacts(request) };
      try {
        expect(found).toEqual(wanted);
      } catch {
        differences.push({ found, wanted });
      }
    }
    expect(differences).toEqual([]);
    expect(steps).toBeGreaterThan(60);
  });
}

function ofStorages(
  recording: Recording,
): readonly (readonly [number, Recording["exchanges"][number]])[] {
  const all = [...recording.exchanges.entries()];
  return all.filter(
    ([, { server, request }]) =>
      server !== recording.tracker &&
      bytesOf(request).readUInt8(8) !== 111 &&
      isWellFormed(bytesOf(request)),
  );
}

/** Sends the request with a `FrameClient` to a server that gives the reply; and what both were seen to get. */
async function exchanged(
  request: Buffer,
  reply: Buffer,
  pieceSize: number,
): Promise<{ readonly sent: Buffer; readonly understood: Buffer }> {
  const parts: Buffer[] = [];
  let arrived = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      parts.push(chunk);
      arrived += chunk.length;
      if (arrived === request.length) sendInPieces(socket, reply, pieceSize);
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const place = server.address();
      resolve(typeof place === "object" && place !== null ? place.port : 0);
    });
  });
  const client = await FrameClient.connect(
    { address: "127.0.0.1", port, timeoutMs: 5000 },
    { network, clock: nodeClock, networkTimeoutMs: 5000 },
  );
  try {
    return { understood: await understoodBy(client, request), sent: Buffer.concat(parts) };
  } finally {
    client.destroy();
    server.close();
  }
}

async function understoodBy(client: FrameClient, request: Buffer): Promise<Buffer> {
  const message = messageOf(request);
  const { value, end } = decodeRequest(message, request, narrowAddresses);
  try {
    if (message.stream === "reply") {
      const flow = await client.download(message as Message<unknown, undefined, "reply">, value);
      return frameOfBytes(0, await collect(flow));
    }
    const reply =
      message.stream === "request"
        ? await client.upload(
            message as Message<unknown, unknown, "request">,
            value,
            sourceOfBytes(request.subarray(end)),
          )
        : await client.call(message as Message<unknown, unknown, "none">, value);
    return encodeReply(message, reply, narrowAddresses);
  } catch (error) {
    if (error instanceof WireStatusError) return frameOfBytes(error.status, Buffer.alloc(0));
    throw error;
  }
}

function frameOfBytes(status: number, body: Buffer): Buffer {
  const header = Buffer.alloc(headerSize);
  header.writeBigInt64BE(BigInt(body.length), 0);
  header.writeUInt8(100, 8);
  header.writeUInt8(status, 9);
  return Buffer.concat([header, body]);
}

function sendInPieces(socket: Socket, bytes: Buffer, size: number): void {
  socket.setNoDelay(true);
  for (let at = 0; at < bytes.length; at += size) socket.write(bytes.subarray(at, at + size));
}
