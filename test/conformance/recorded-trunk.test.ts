/**
 * Goal: in a group with C FastDFS the trunk files are divided as C divides them, whoever of the two is the trunk server. Method: the recorded
 * exchanges of two mixed groups are played, each side in turn against ours. As member: our client asks a server that answers as C did, and must
 * send what was recorded; C's binlog messages go to our storage, whose copy must be the same lines. As trunk server: C's requests go to our
 * storage, which must answer as recorded, and its binlog goes to a storage that answers as C did.
 */
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { SlotOutcome } from "#filestore/slot-source.ts";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { narrowAddresses } from "#protocol/codec.ts";
import {
  trunkAllocConfirm,
  trunkAllocSpace,
  trunkFreeSpace,
} from "#protocol/fastdfs/storage-trunk.ts";
import { headerSize } from "#protocol/header.ts";
import { TrunkClient } from "#storage/trunk-client.ts";
import { TrunkServer } from "#storage/trunk-server.ts";
import { collectedLog } from "../support/frame-fixture.ts";
import { frame, RawConnection } from "../support/raw-connection.ts";
import { bytesOf, type RecordedExchange, readRecording } from "../support/recordings.ts";
import { soon } from "../support/soon.ts";
import { MemoryTrunkLog } from "../support/trunk-log.ts";
import { TrunkStage } from "../support/trunk-stage.ts";
import { decodeRequest } from "../support/wire-vectors.ts";

const commands = { allocate: 27, confirm: 28, free: 29, lines: 30, truncate: 33 } as const;
const trunkOfC = readRecording("trunk-of-c");
const trunkOfCairn = readRecording("trunk-of-cairn");
const stack: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of stack.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

function commandOf(exchange: RecordedExchange): number {
  return bytesOf(exchange.request).readUInt8(8);
}

function ofCommands(
  exchanges: readonly RecordedExchange[],
  ...wanted: number[]
): readonly RecordedExchange[] {
  return exchanges.filter((exchange) => wanted.includes(commandOf(exchange)));
}

/** The lines of all messages 30, one behind the other. */
function linesOf(exchanges: readonly RecordedExchange[]): string {
  const messages = ofCommands(exchanges, commands.lines).map(({ request }) => bytesOf(request));
  return messages.map((bytes) => bytes.toString("latin1", headerSize)).join("");
}

function withoutTimes(lines: string): string {
  return lines.replace(/^\d+/gm, "0");
}

/** The whole reply, in hexadecimal. */
async function answer(connection: RawConnection, request: Buffer): Promise<string> {
  await connection.write(request);
  const reply = await connection.frame(5000);
  if (typeof reply === "string") return reply;
  const { command, status, body } = reply;
  return frame(command, body, { status }).toString("hex");
}

/** Answers each request with what `replyTo` makes of it and of its number. */
class ScriptedPeer implements AsyncDisposable {
  readonly received: Buffer[] = [];
  port = 0;
  readonly #replyTo: (request: Buffer) => Buffer;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(replyTo: (request: Buffer, at: number) => Buffer) {
    let at = 0;
    this.#replyTo = (request) => replyTo(request, at++);
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(address: string): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, address, resolve));
    this.port = (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    let pending: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        if (pending.length < headerSize) return;
        const size = headerSize + Number(pending.readBigInt64BE(0));
        if (pending.length < size) return;
        const request = pending.subarray(0, size);
        pending = pending.subarray(size);
        this.received.push(request);
        socket.write(this.#replyTo(request));
      }
    });
  }
}

test("our requests to C as trunk server are those that C answered", async () => {
  const { allocate, confirm, free } = commands;
  const asked = ofCommands(trunkOfC.exchanges, allocate, confirm, free);
  expect(new Set(asked.map(commandOf))).toEqual(new Set([allocate, confirm, free]));
  const peer = new ScriptedPeer((_request, at) => bytesOf(asked[at]?.reply ?? ""));
  stack.push(peer);
  await peer.listen("127.0.0.2");
  const { log } = collectedLog();
  const own = new TrunkServer({
    ...{
      clock: nodeClock,
      log,
      binlog: new MemoryTrunkLog().client,
      subdirCount: 16,
      storePathCount: () => 2,
    },
    ...{ onNews: () => {}, onGrown: () => {} },
    readers: { pause: async () => {}, resume: () => {} },
  });
  const slots = new TrunkClient({
    ...{ network: new NodeNetwork(), clock: nodeClock, log, group: GroupName("group1"), own },
    disk: new MemoryTrunkLog().client,
    server: () => ({ address: "127.0.0.2", port: peer.port }),
  });
  const outcomes: Readonly<Record<number, SlotOutcome>> = { 0: "kept", 17: "occupied" };
  for (const exchange of asked) {
    const frame = bytesOf(exchange.request);
    const decode = <Request>(message: { readonly request: { decode: unknown } }): Request =>
      decodeRequest(message as never, frame, narrowAddresses).value as Request;
    if (frame.readUInt8(8) === allocate) {
      const { size, storePathIndex } = decode<{ size: number; storePathIndex: number }>(
        trunkAllocSpace,
      );
      const given = await slots.allocate(storePathIndex, size - trunkHeaderSize);
      expect(given).toMatchObject({ storePathIndex });
    } else if (frame.readUInt8(8) === confirm) {
      const { location } = decode<{ location: never }>(trunkAllocConfirm);
      await slots.confirm(location, outcomes[frame.readUInt8(9)] ?? "unused");
    } else {
      await slots.free(decode<{ location: never }>(trunkFreeSpace).location);
    }
  }
  await slots.close();
  expect(peer.received.map((bytes) => bytes.toString("hex"))).toEqual(
    asked.map(({ request }) => request),
  );
});

test("C's trunk binlog becomes ours, line by line", async () => {
  const stage = await TrunkStage.start();
  stack.push(stage);
  await soon(() => stage.role.snapshot().trunk.mode).toBe("served");
  const { lines, truncate } = commands;
  const messages = ofCommands(trunkOfC.exchanges, lines, truncate);
  expect(commandOf(messages[0] as RecordedExchange)).toBe(truncate);
  const connection = await RawConnection.connect({ address: "127.0.0.1", port: stage.role.port });
  stack.push({ [Symbol.asyncDispose]: async () => connection.destroy() });
  for (const { request, reply } of messages) {
    expect(await answer(connection, bytesOf(request))).toBe(reply);
  }
  expect(stage.binlog).toBe(linesOf(messages));
});

test("C's requests to us as trunk server are answered as they were, and C is sent the lines that it was sent", async () => {
  const peer = new ScriptedPeer(() => Buffer.from("00000000000000006400", "hex"));
  stack.push(peer);
  await peer.listen("127.0.0.2");
  // The numbers up to 8 had been leased before the C storage joined.
  const stage = await TrunkStage.start({ trunkFileId: 8, paths: 2 });
  stack.push(stage);
  const other = {
    status: storageStatus.active,
    port: peer.port,
    id: StorageId("127.0.0.2"),
    address: "127.0.0.2",
  };
  stage.tell(stage.brief, [other]);
  await soon(() => stage.role.snapshot().trunk.server).toBe("serving");
  const { allocate, confirm, free, lines } = commands;
  const connection = await RawConnection.connect({ address: "127.0.0.1", port: stage.role.port });
  stack.push({ [Symbol.asyncDispose]: async () => connection.destroy() });
  const asked = ofCommands(trunkOfCairn.exchanges, allocate, confirm, free);
  expect(new Set(asked.map(commandOf))).toEqual(new Set([allocate, confirm, free]));
  for (const { request, reply } of asked) {
    expect(await answer(connection, bytesOf(request))).toBe(reply);
  }
  const expected = withoutTimes(linesOf(trunkOfCairn.exchanges));
  const sent = (): string =>
    peer.received
      .filter((frame) => frame.readUInt8(8) === lines)
      .map((frame) => frame.toString("latin1", headerSize))
      .join("");
  await expect.poll(() => withoutTimes(sent()).slice(0, expected.length)).toBe(expected);
  expect(peer.received[0]?.readUInt8(8)).toBe(commands.truncate);
});
