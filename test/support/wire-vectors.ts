/**
 * The vectors of `test/vectors/fastdfs`: their shape, and the way between the values that our codecs make and JSON. Used by the
 * tests which read vectors and by the program which writes them.
 */
import {
  narrowAddresses,
  type WireContext,
  WireReader,
  WireWriter,
  wideAddresses,
} from "#protocol/codec.ts";
import { headerSize, readLength, replyCommand, writeHeader } from "#protocol/header.ts";
import type { AnyMessage } from "#protocol/message.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

export interface VectorSide {
  /** Header and body, payload included, in hexadecimal. */
  readonly frame: string;
  /** What the body (without payload) says; null where there is no body or it is all payload. */
  readonly value: Json;
  /** Bytes at the end of the frame that are payload. */
  readonly payloadSize: number;
  /** False where the sender left garbage in its padding or said more than it should: decodes, but is not what we would send. */
  readonly exact: boolean;
  /** True where the body is malformed, and the value thus null. */
  readonly refused: boolean;
}

export interface Vector {
  readonly note: string;
  readonly origin: { readonly kind: string; readonly source: string };
  readonly width: 16 | 46;
  readonly release?: number;
  readonly request: VectorSide;
  /** Null where the server closed the connection or does not answer. */
  readonly reply: VectorSide | null;
}

export interface VectorFile {
  readonly command: number;
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly vectors: readonly Vector[];
}

export interface RawExchange {
  readonly request: Buffer;
  readonly reply: Buffer | undefined;
  readonly width: 16 | 46;
  readonly release?: number;
  readonly note: string;
  readonly origin: { readonly kind: string; readonly source: string };
}

/** What our codecs make of an exchange. Throws `ProtocolError` where they make nothing of the reply. */
export function describeExchange(message: AnyMessage, exchange: RawExchange): Vector {
  const { note, origin, width, release } = exchange;
  const versioned = release === undefined ? {} : { release };
  const context = vectorContext({ width, ...versioned });
  return {
    note,
    origin,
    width,
    ...versioned,
    request: describeRequest(message, exchange.request, context),
    reply: exchange.reply === undefined ? null : describeReply(message, exchange.reply, context),
  };
}

export function vectorContext(vector: {
  readonly width: 16 | 46;
  readonly release?: number;
}): WireContext {
  const base = vector.width === 46 ? wideAddresses : narrowAddresses;
  return vector.release === undefined ? base : { ...base, release: vector.release };
}

/** The request's value and how many bytes of the frame it took, header included. */
export function decodeRequest(
  message: AnyMessage,
  frame: Buffer,
  context: WireContext,
): { readonly value: unknown; readonly end: number } {
  const requestStatus = frame.readUInt8(9);
  const reader = new WireReader(frame, headerSize);
  const value: unknown = message.request.decode(reader, { ...context, requestStatus });
  return { value, end: reader.position };
}

/** Header and body (without payload) as we would send them. */
export function encodeRequest(message: AnyMessage, value: unknown, context: WireContext): Buffer {
  const writer = new WireWriter();
  writer.zeros(headerSize);
  message.request.encode(value, writer, context);
  const bytes = writer.bytes();
  const payload: number = message.stream === "request" ? (message.payloadSize?.(value) ?? 0) : 0;
  writeHeader(bytes, 0, {
    length: bytes.length - headerSize + payload,
    command: message.command,
    status: message.statusOfRequest?.(value) ?? 0,
  });
  return bytes;
}

export function encodeReply(message: AnyMessage, value: unknown, context: WireContext): Buffer {
  const writer = new WireWriter();
  writer.zeros(headerSize);
  message.reply.encode(value, writer, context);
  const bytes = writer.bytes();
  writeHeader(bytes, 0, {
    length: bytes.length - headerSize,
    command: replyCommand,
    status: 0,
  });
  return bytes;
}

/** `undefined` becomes null and bytes `{ "hex": … }`; what JSON cannot say does not occur. */
export function toJson(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
  }
  return value as Json;
}

/** The inverse of `toJson`. */
export function fromJson(json: Json): unknown {
  if (json === null) return undefined;
  if (Array.isArray(json)) return json.map(fromJson);
  if (typeof json !== "object") return json;
  const entries = Object.entries(json);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === "hex") return Buffer.from(String(first[1]), "hex");
  return Object.fromEntries(entries.map(([key, item]) => [key, fromJson(item)]));
}

function describeRequest(message: AnyMessage, frame: Buffer, context: WireContext): VectorSide {
  const hex = frame.toString("hex");
  try {
    const { value, end } = decodeRequest(message, frame, context);
    const exact = encodeRequest(message, value, context).equals(frame.subarray(0, end));
    const payloadSize = frame.length - end;
    return { frame: hex, value: toJson(value), payloadSize, exact, refused: false };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { frame: hex, value: null, payloadSize: 0, exact: false, refused: true };
  }
}

function describeReply(message: AnyMessage, frame: Buffer, context: WireContext): VectorSide {
  const announced = readLength(frame, 0);
  const streamed = message.stream === "reply" || frame.readUInt8(9) !== 0;
  if (streamed) {
    const payloadSize = message.stream === "reply" ? frame.length - headerSize : 0;
    const surplus = message.stream !== "reply" && announced > 0;
    const frameText = frame.toString("hex");
    return { frame: frameText, value: null, payloadSize, exact: !surplus, refused: false };
  }
  const value: unknown = message.reply.decode(new WireReader(frame, headerSize), context);
  const encoded = encodeReply(message, value, context);
  return {
    frame: frame.toString("hex"),
    value: toJson(value),
    payloadSize: 0,
    exact: encoded.equals(frame),
    refused: false,
  };
}
