/**
 * Exchanges out of a pcap file of loopback traffic (Ethernet, IPv4, TCP), gzip-compressed or not. Flows are put in order by
 * sequence number without reassembling what is out of order, which loopback captures do not have. Frames above a limit are
 * followed but not kept.
 */
import { gunzipSync } from "node:zlib";
import { type Exchange, headerSize } from "./exchange.ts";

const maxKept = 8192;
const endless = 2n ** 50n;
const replyCommand = 100;

interface Frame {
  readonly seconds: number;
  readonly bytes: Buffer;
  readonly whole: boolean;
}

interface Flow {
  next: number | undefined;
  pending: Buffer;
  missing: number;
  kept: Buffer[];
  keptBytes: number;
  startedAt: number;
  readonly frames: Frame[];
}

/** Requests with their replies, in the order of the requests. `name` stands in their origin. */
export function pcapExchanges(name: string, file: Buffer): readonly Exchange[] {
  const bytes = file.readUInt16BE(0) === 0x1f8b ? gunzipSync(file) : file;
  const flows = new Map<string, Flow>();
  const done: { readonly key: string; readonly flow: Flow }[] = [];
  for (const packet of packets(bytes)) {
    if (packet.opens) {
      const previous = flows.get(packet.key);
      if (previous !== undefined) done.push({ key: packet.key, flow: previous });
      flows.set(packet.key, newFlow((packet.sequence + 1) >>> 0));
      continue;
    }
    const flow = flows.get(packet.key) ?? newFlow(undefined);
    flows.set(packet.key, flow);
    take(flow, packet);
  }
  for (const [key, flow] of flows) done.push({ key, flow });
  for (const { flow } of done) finishEndless(flow);
  return pair(name, done);
}

export interface Packet {
  readonly key: string;
  readonly reverseKey: string;
  readonly seconds: number;
  readonly sequence: number;
  readonly opens: boolean;
  readonly data: Buffer;
}

export function* packets(bytes: Buffer): Generator<Packet> {
  const little = bytes.readUInt32LE(0) === 0xa1b2c3d4 || bytes.readUInt32LE(0) === 0xa1b23c4d;
  const u32 = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const ethernet = u32(20) === 1 ? 14 : 0;
  let first: number | undefined;
  for (let at = 24; at + 16 <= bytes.length; ) {
    const seconds = u32(at) + u32(at + 4) / 1e6;
    first ??= seconds;
    const length = u32(at + 8);
    const packet = bytes.subarray(at + 16 + ethernet, at + 16 + length);
    at += 16 + length;
    if (packet.length < 40 || packet.readUInt8(0) >> 4 !== 4 || packet.readUInt8(9) !== 6) continue;
    const ipHeader = (packet.readUInt8(0) & 15) * 4;
    const total = packet.readUInt16BE(2) || packet.length;
    const from = `${[...packet.subarray(12, 16)].join(".")}:${packet.readUInt16BE(ipHeader)}`;
    const to = `${[...packet.subarray(16, 20)].join(".")}:${packet.readUInt16BE(ipHeader + 2)}`;
    const tcpHeader = (packet.readUInt8(ipHeader + 12) >> 4) * 4;
    yield {
      key: `${from} ${to}`,
      reverseKey: `${to} ${from}`,
      seconds: seconds - first,
      sequence: packet.readUInt32BE(ipHeader + 4),
      opens: (packet.readUInt8(ipHeader + 13) & 2) !== 0,
      data: packet.subarray(ipHeader + tcpHeader, total),
    };
  }
}

function newFlow(next: number | undefined): Flow {
  const empty = Buffer.alloc(0);
  return { next, pending: empty, missing: 0, kept: [], keptBytes: 0, startedAt: 0, frames: [] };
}

function take(flow: Flow, packet: Packet): void {
  if (packet.data.length === 0) return;
  const ahead = flow.next === undefined ? 0 : (packet.sequence - flow.next) | 0;
  if (ahead < 0) return;
  flow.next = (packet.sequence + packet.data.length) >>> 0;
  let data = Buffer.concat([flow.pending, packet.data]);
  flow.pending = Buffer.alloc(0);
  while (data.length > 0) {
    if (flow.missing === 0) {
      if (data.length < headerSize) {
        flow.pending = Buffer.from(data);
        return;
      }
      const length = data.readBigInt64BE(0);
      flow.missing = headerSize + Number(length > endless ? endless : length < 0n ? 0n : length);
      flow.startedAt = packet.seconds;
      flow.kept = [];
      flow.keptBytes = 0;
    }
    const part = data.subarray(0, flow.missing);
    data = data.subarray(part.length);
    flow.missing -= part.length;
    if (flow.keptBytes < maxKept) flow.kept.push(part);
    flow.keptBytes += part.length;
    if (flow.missing === 0) finish(flow);
  }
}

function finish(flow: Flow): void {
  const whole = flow.keptBytes <= maxKept;
  flow.frames.push({ seconds: flow.startedAt, bytes: Buffer.concat(flow.kept), whole });
}

/** The reply of FETCH_ONE_PATH_BINLOG ends with its connection. */
function finishEndless(flow: Flow): void {
  if (flow.missing > Number(endless) / 2) finish(flow);
}

function pair(
  name: string,
  flows: readonly { readonly key: string; readonly flow: Flow }[],
): readonly Exchange[] {
  const exchanges: Exchange[] = [];
  const replies = new Map<string, Frame[][]>();
  for (const { key, flow } of flows) {
    if (flow.frames[0]?.bytes[8] !== replyCommand) continue;
    replies.set(key, [...(replies.get(key) ?? []), flow.frames]);
  }
  for (const { key, flow } of flows) {
    if (flow.frames.length === 0 || flow.frames[0]?.bytes[8] === replyCommand) continue;
    const [from, to] = key.split(" ");
    const answers = replies.get(`${to} ${from}`)?.shift() ?? [];
    for (const [at, request] of flow.frames.entries()) {
      const answer = answers[at];
      if (!request.whole || answer?.whole === false) continue;
      exchanges.push({
        command: request.bytes.readUInt8(8),
        request: request.bytes,
        reply: answer?.bytes,
        width: 16,
        note: "",
        origin: { kind: "captured", source: `${name} at ${request.seconds.toFixed(6)} s` },
      });
    }
  }
  return exchanges;
}
