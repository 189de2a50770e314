/** Who asked what over which connection, and was told what: exchanges of a capture in the order of the requests. */
import { type Packet, packets } from "../../fastdfs/make/pcap-exchanges.ts";

const headerSize = 10;
/** Where the command-line clients speak from. */
const clients = (address: string): boolean => address === "127.0.0.1";

export interface CapturedExchange {
  /** Address of who asked. */
  readonly client: string;
  /** From 1, in the order in which connections were opened. */
  readonly connection: number;
  /** `address:port` of the server. */
  readonly server: string;
  /** Since the first packet of the capture. */
  readonly seconds: number;
  readonly request: Buffer;
  readonly reply: Buffer | undefined;
}

interface Flow {
  next: number | undefined;
  pending: Buffer[];
  pendingBytes: number;
  startedAt: number;
  readonly frames: { readonly seconds: number; readonly bytes: Buffer }[];
}

interface Connection {
  readonly client: string;
  readonly server: string;
  readonly requests: Flow;
  readonly replies: Flow;
}

/** Of those whose address `isClient` accepts. */
export function conversations(
  capture: Buffer,
  servers: ReadonlySet<string>,
  isClient: (address: string) => boolean = clients,
): readonly CapturedExchange[] {
  const open = new Map<string, Connection>();
  const all: Connection[] = [];
  for (const packet of packets(capture)) {
    const [from = "", to = ""] = packet.key.split(" ");
    const isRequest = isClient(addressOf(from)) && servers.has(to);
    if (!isRequest && !(isClient(addressOf(to)) && servers.has(from))) continue;
    const key = isRequest ? packet.key : packet.reverseKey;
    let connection = open.get(key);
    if (connection === undefined || (packet.opens && isRequest)) {
      const [client, server] = isRequest ? [from, to] : [to, from];
      connection = {
        ...{ client: addressOf(client), server },
        ...{ requests: newFlow(), replies: newFlow() },
      };
      open.set(key, connection);
      all.push(connection);
    }
    take(isRequest ? connection.requests : connection.replies, packet);
  }
  return all.flatMap(exchangesOf).sort((a, b) => a.seconds - b.seconds);
}

function exchangesOf(connection: Connection, index: number): CapturedExchange[] {
  const { client, server, requests, replies } = connection;
  return requests.frames.map(({ seconds, bytes }, at) => ({
    connection: index + 1,
    client,
    server,
    seconds,
    request: bytes,
    // The capture may lack packets of a long reply: its beginning says how long it was.
    reply: replies.frames[at]?.bytes ?? (at === replies.frames.length ? begun(replies) : undefined),
  }));
}

function addressOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(":"));
}

function begun(flow: Flow): Buffer | undefined {
  return flow.pendingBytes < headerSize ? undefined : Buffer.concat(flow.pending);
}

function newFlow(): Flow {
  return { next: undefined, pending: [], pendingBytes: 0, startedAt: 0, frames: [] };
}

function take(flow: Flow, packet: Packet): void {
  if (packet.opens) {
    flow.next = (packet.sequence + 1) >>> 0;
    return;
  }
  if (packet.data.length === 0) return;
  if (flow.next !== undefined && ((packet.sequence - flow.next) | 0) < 0) return;
  flow.next = (packet.sequence + packet.data.length) >>> 0;
  if (flow.pendingBytes === 0) flow.startedAt = packet.seconds;
  flow.pending.push(packet.data);
  flow.pendingBytes += packet.data.length;
  cut(flow);
}

/** Takes whole frames off what has come. */
function cut(flow: Flow): void {
  while (flow.pendingBytes >= headerSize) {
    const [first] = flow.pending;
    const head = first !== undefined && first.length >= 8 ? first : Buffer.concat(flow.pending);
    const size = headerSize + Number(head.readBigInt64BE(0));
    // A capture that lacks packets makes no sense from there on.
    if (flow.pendingBytes < size || size < headerSize) return;
    const bytes = Buffer.concat(flow.pending);
    flow.frames.push({ seconds: flow.startedAt, bytes: Buffer.from(bytes.subarray(0, size)) });
    const rest = bytes.subarray(size);
    flow.pending = rest.length > 0 ? [rest] : [];
    flow.pendingBytes = rest.length;
  }
}
