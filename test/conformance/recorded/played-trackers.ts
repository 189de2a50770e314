/**
 * Trackers of C FastDFS as they were recorded among a tracker of ours: they answer by what was answered, command by command, and ask what was
 * asked, with the addresses of this run in place of the recorded ones.
 */
import { narrowAddresses, WireReader } from "#protocol/codec.ts";
import { headerSize } from "#protocol/header.ts";
import { RawConnection } from "../../support/raw-connection.ts";
import { RecordedPeer } from "../../support/recorded-peer.ts";
import { bytesOf, type RecordedExchange } from "../../support/recordings.ts";
import { decodeRequest, encodeRequest } from "../../support/wire-vectors.ts";
import { messageOf } from "./replay.ts";
import { commandOf } from "./sync-steps.ts";

const silence = 10_000;
const noSuchCommand = Buffer.from("00000000000000006416", "hex");

interface Place {
  readonly address: string;
  readonly port: number;
}

/** The recorded trackers, by `address:port`, and where they are in this run. */
export type Places = ReadonlyMap<string, Place>;

/** A recorded request with the endpoints that it names moved; `client` sent it. */
export function moved({ client = "", request }: RecordedExchange, places: Places): Buffer {
  const bytes = bytesOf(request);
  const message = messageOf(bytes);
  const value = decodeRequest(message, bytes, narrowAddresses).value as
    | { leader?: Place; port?: number }
    | undefined;
  const there = (address: string, port: number) => places.get(`${address}:${port}`);
  if (value?.leader !== undefined) {
    const leader = there(value.leader.address, value.leader.port) ?? value.leader;
    return encodeRequest(message, { ...value, leader }, narrowAddresses);
  }
  if (value?.port === undefined) return bytes;
  const port = there(client, value.port)?.port ?? value.port;
  return encodeRequest(message, { ...value, port }, narrowAddresses);
}

/** One recorded tracker of C as others reach it: the replies of each command in their order, the last one again and again. */
export function answering(exchanges: readonly RecordedExchange[]): RecordedPeer {
  const left = new Map<number, Buffer[]>();
  for (const exchange of exchanges) {
    if (exchange.reply === null) continue;
    const replies = left.get(commandOf(exchange)) ?? [];
    replies.push(bytesOf(exchange.reply));
    left.set(commandOf(exchange), replies);
  }
  return new RecordedPeer((request) => {
    const replies = left.get(request.readUInt8(8));
    const next = replies !== undefined && replies.length > 1 ? replies.shift() : replies?.[0];
    return next ?? noSuchCommand;
  });
}

export interface Answered {
  readonly name: string;
  readonly status: number;
  /** What the body says; of files only how it is laid out. */
  readonly value: unknown;
}

/** Asks `place`, our tracker, what trackers of C asked; what it gives as an answer, and what was recorded. */
export async function asked(
  exchanges: readonly RecordedExchange[],
  place: Place,
  places: Places,
): Promise<readonly { readonly given: Answered; readonly recorded: Answered }[]> {
  const connections = new Map<number, RawConnection>();
  const answers: { given: Answered; recorded: Answered }[] = [];
  try {
    for (const exchange of exchanges) {
      if (exchange.reply === null) continue;
      const connection =
        connections.get(exchange.connection) ?? (await RawConnection.connect(place));
      connections.set(exchange.connection, connection);
      const request = moved(exchange, places);
      await connection.write(request);
      const reply = await connection.frame(silence);
      if (typeof reply === "string") throw new Error(`${messageOf(request).name}: ${reply}`);
      const then = bytesOf(exchange.reply);
      answers.push({
        given: answered(request, reply.status, reply.body),
        recorded: answered(request, then.readUInt8(9), then.subarray(headerSize)),
      });
    }
  } finally {
    for (const connection of connections.values()) connection.destroy();
  }
  return answers;
}

function answered(request: Buffer, status: number, body: Buffer): Answered {
  const message = messageOf(request);
  if (status !== 0) return { name: message.name, status, value: undefined };
  const value: unknown = message.reply.decode(new WireReader(body), narrowAddresses);
  return { name: message.name, status, value: facts(value) };
}

/** Times and contents are of each run. */
function facts(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("runningTime" in value) return { isLeader: "isLeader" in value && value.isLeader };
  if ("fileSize" in value && "content" in value) {
    const { fileSize, content } = value as { fileSize: number; content: Uint8Array };
    return { isWhole: fileSize === content.length };
  }
  return value;
}
