/**
 * A tracker and a storage that answer what a recording says C FastDFS answered, byte for byte but for the addresses, which have to
 * lead here. The storage's part is played step by step: the test says which recorded exchange comes next, and learns what the
 * client asked instead.
 */
import { createServer, type Server, type Socket } from "node:net";
import { decodeBase } from "#model/file-id.ts";
import { narrowAddresses, WireReader } from "#protocol/codec.ts";
import { headerSize } from "#protocol/header.ts";
import { bytesOf, type RecordedExchange, type Recording } from "../../support/recordings.ts";
import { encodeReply } from "../../support/wire-vectors.ts";
import { messageOf } from "./replay.ts";

const address = "127.0.0.1";
const activeTest = 111;
const queryFileInfo = 22;
const fetchAll = 105;
const notFound = 2;
/** Tracker queries whose replies lead to a storage. */
const leading = [101, 102, 103, 104, 105, 106, 107];

export class ScriptedCluster implements AsyncDisposable {
  readonly #recording: Recording;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  trackerPort = 0;
  #storagePort = 0;
  /** The exchange that the storage is ready for. */
  expected: RecordedExchange | undefined;
  /** Requests to the storage since `expected` was set, but for those that only look after connections. */
  asked: Buffer[] = [];

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  async start(): Promise<void> {
    this.#storagePort = await this.#listen((request) => this.#storageReply(request));
    this.trackerPort = await this.#listen((request) => this.#trackerReply(request));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
  }

  #listen(answer: (request: Buffer) => Buffer): Promise<number> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      serve(socket, answer);
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, address, () => {
        const place = server.address();
        resolve(typeof place === "object" && place !== null ? place.port : 0);
      });
    });
  }

  #storageReply(request: Buffer): Buffer {
    const command = request.readUInt8(8);
    if (command === activeTest) return reply(0);
    this.asked.push(request);
    const { expected } = this;
    if (expected !== undefined && command === bytesOf(expected.request).readUInt8(8)) {
      return bytesOf(expected.reply ?? "");
    }
    // A client of ours looks twice where an empty file and a wrong range get the same answer.
    return command === queryFileInfo ? infoByName(request) : reply(notFound);
  }

  #trackerReply(request: Buffer): Buffer {
    const command = request.readUInt8(8);
    if (command === activeTest) return reply(0);
    const recorded = this.#find(request);
    if (recorded === undefined) return reply(notFound);
    if (!leading.includes(command) || recorded.readUInt8(9) !== 0) return recorded;
    return this.#leadHere(request, recorded);
  }

  /** The reply to the same request; to any that names the same file, where the client asks by another command. */
  #find(request: Buffer): Buffer | undefined {
    const { exchanges, tracker } = this.#recording;
    const ofTracker = exchanges.filter(({ server }) => server === tracker);
    const same = ofTracker.find((each) => bytesOf(each.request).equals(request));
    if (same !== undefined) return bytesOf(same.reply ?? "");
    const command = request.readUInt8(8);
    const body = request.subarray(headerSize);
    const similar = ofTracker.find((each) => {
      const other = bytesOf(each.request);
      const fits = command === fetchAll || [102, 103].includes(command);
      return (
        fits && [102, 103].includes(other.readUInt8(8)) && other.subarray(headerSize).equals(body)
      );
    });
    return similar === undefined ? undefined : bytesOf(similar.reply ?? "");
  }

  #leadHere(request: Buffer, recorded: Buffer): Buffer {
    const message = messageOf(request);
    const value: unknown = message.reply.decode(
      new WireReader(recorded, headerSize),
      narrowAddresses,
    );
    return encodeReply(message, this.#hereIn(value), narrowAddresses);
  }

  #hereIn(value: unknown): unknown {
    if (Array.isArray(value)) return value.slice(0, 1).map((item) => this.#hereIn(item));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => [key, this.#hereIn(item)]);
    const copy: Record<string, unknown> = Object.fromEntries(entries);
    return "port" in copy ? { ...copy, address, port: this.#storagePort } : copy;
  }
}

/** Cuts requests off the stream and answers them one after the other. */
function serve(socket: Socket, answer: (request: Buffer) => Buffer): void {
  let received: Buffer = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= headerSize) {
      const size = headerSize + Number(received.readBigInt64BE(0));
      if (received.length < size) return;
      socket.write(answer(Buffer.from(received.subarray(0, size))));
      received = received.subarray(size);
    }
  });
}

function reply(status: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(headerSize);
  header.writeBigInt64BE(BigInt(body.length), 0);
  header.writeUInt8(100, 8);
  header.writeUInt8(status, 9);
  return Buffer.concat([header, body]);
}

/** Size by the name, as of a normal file; the rest does not matter to who asks. */
function infoByName(request: Buffer): Buffer {
  const filename = request.toString("latin1", headerSize + 16);
  const size = decodeBase(filename.slice(filename.lastIndexOf("/") + 1))?.size ?? 0;
  const body = Buffer.alloc(40);
  body.writeBigInt64BE(BigInt(size), 0);
  return reply(0, body);
}
