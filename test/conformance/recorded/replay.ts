/**
 * Plays a recording against a server: the same requests in the same order over as many connections, with the names that this
 * server gave in place of the recorded ones; and tells where its replies differ.
 */
import { narrowAddresses, WireReader } from "#protocol/codec.ts";
import { allMessages } from "#protocol/fastdfs/all-messages.ts";
import { headerSize } from "#protocol/header.ts";
import type { AnyMessage } from "#protocol/message.ts";
import { type Frame, type Place, RawConnection } from "../../support/raw-connection.ts";
import { bytesOf, type RecordedExchange, type Recording } from "../../support/recordings.ts";
import { type Comparable, comparable } from "./comparable.ts";

const replyLimitMs = 10_000;
const byCommand = new Map<number, AnyMessage>(
  (Object.values(allMessages) as AnyMessage[]).map((message) => [message.command, message]),
);

export interface Difference {
  /** Of the exchange in the recording, from 0. */
  readonly at: number;
  readonly message: string;
  readonly recorded: Comparable;
  readonly got: Comparable;
}

export function messageOf(request: Buffer): AnyMessage {
  const message = byCommand.get(request.readUInt8(8));
  if (message === undefined) throw new Error(`no message has the number ${request[8]}`);
  return message;
}

export class Replay {
  readonly #recording: Recording;
  readonly #tracker: Place;
  readonly #storage: Place;
  /** Recorded name to the one that this server gave. */
  readonly #names = new Map<string, string>();
  readonly #connections = new Map<number, RawConnection>();

  constructor(recording: Recording, places: { readonly tracker: Place; readonly storage: Place }) {
    this.#recording = recording;
    this.#tracker = places.tracker;
    this.#storage = places.storage;
  }

  async run(): Promise<readonly Difference[]> {
    const { exchanges } = this.#recording;
    const differences: Difference[] = [];
    const storageId = await this.#ownStorageId();
    for (const [at, exchange] of exchanges.entries()) {
      const request = this.#translate(bytesOf(exchange.request), storageId);
      const message = messageOf(request);
      const reply = await this.#ask(exchange, request);
      if (exchange.reply !== null) {
        const recorded = frameOf(bytesOf(exchange.reply));
        this.#learn(recorded, reply, message);
        const expected = replyFacts(message, recorded);
        const got = typeof reply === "string" ? reply : replyFacts(message, reply);
        if (JSON.stringify(expected) !== JSON.stringify(got)) {
          differences.push({ at, message: message.name, recorded: expected, got });
        }
      }
      const isLast = !exchanges
        .slice(at + 1)
        .some((later) => later.connection === exchange.connection);
      if (isLast) this.#connections.get(exchange.connection)?.destroy();
    }
    return differences;
  }

  async #ask(exchange: RecordedExchange, request: Buffer): Promise<Frame | string> {
    let connection = this.#connections.get(exchange.connection);
    if (connection === undefined || connection.closed) {
      const isTracker = exchange.server === this.#recording.tracker;
      connection = await RawConnection.connect(isTracker ? this.#tracker : this.#storage);
      this.#connections.set(exchange.connection, connection);
    }
    await connection.write(request);
    return connection.frame(replyLimitMs);
  }

  /** Two names for one file are of one length, so that the lengths in the request stay right. */
  #translate(request: Buffer, storageId: string): Buffer {
    let text = request.toString("latin1");
    const names = [...this.#names].sort(([a], [b]) => b.length - a.length);
    for (const [recorded, own] of names) text = text.replaceAll(recorded, own);
    const isAboutStorage = [92, 93, 94].includes(request.readUInt8(8));
    if (!isAboutStorage || text.length === headerSize + 16) return Buffer.from(text, "latin1");
    const translated = Buffer.from(text.slice(0, headerSize + 16) + storageId, "latin1");
    translated.writeBigInt64BE(BigInt(translated.length - headerSize), 0);
    return translated;
  }

  #learn(recorded: Frame, reply: Frame | string, message: AnyMessage): void {
    const names =
      message.name.startsWith("upload") || message.name === "regenerateAppenderFilename";
    if (!names || typeof reply === "string" || recorded.status !== 0 || reply.status !== 0) return;
    this.#names.set(nameIn(recorded), nameIn(reply));
  }

  /** The id by which the tracker knows the storage. */
  async #ownStorageId(): Promise<string> {
    const connection = await RawConnection.connect(this.#tracker);
    const request = Buffer.alloc(headerSize + 16);
    request.writeBigInt64BE(16n, 0);
    request.writeUInt8(92, 8);
    request.write("group1", headerSize);
    await connection.write(request);
    const reply = await connection.frame(replyLimitMs);
    connection.destroy();
    if (typeof reply === "string") throw new Error(`the tracker lists no storages: ${reply}`);
    return reply.body.toString("latin1", 2, 18).replace(/\0.*$/s, "");
  }
}

function nameIn(frame: Frame): string {
  return frame.body.toString("latin1", 16);
}

export function frameOf(bytes: Buffer): Frame {
  return {
    command: bytes.readUInt8(8),
    status: bytes.readUInt8(9),
    body: bytes.subarray(headerSize),
  };
}

/** Their length is that of a text, or there is a record a server. */
const ofAnyLength = new Set([
  "getLeader",
  "listStorages",
  "queryStoreAll",
  "queryStoreAllInGroup",
  "queryFetchAll",
  "storageClusterStat",
  "trackerClusterStat",
]);

function replyFacts(message: AnyMessage, frame: Frame): Comparable {
  const { command, status, body } = frame;
  const length = ofAnyLength.has(message.name) ? "any" : body.length;
  if (status !== 0) return { command, status, length };
  if (message.stream === "reply")
    return { command, status, length, content: body.toString("latin1") };
  const value: unknown = message.reply.decode(new WireReader(body), narrowAddresses);
  return { command, status, length, value: comparable(value) };
}
