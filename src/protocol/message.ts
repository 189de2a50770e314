/**
 * A message is one typed value: number, request and reply codec, and whether a payload of any size follows one of them.
 * Servers implement `Handlers`, clients call `FrameClient.call`; both types come from the declaration.
 */
import type { Codec } from "#protocol/codec.ts";

/**
 * Where a payload too large for memory travels: behind the request's fixed part, as the whole reply, or nowhere.
 * The codec covers the fixed part only.
 */
export type StreamSide = "none" | "request" | "reply";

export interface Message<Request, Reply, Stream extends StreamSide = StreamSide> {
  readonly name: string;
  readonly command: number;
  readonly request: Codec<Request>;
  readonly reply: Codec<Reply>;
  readonly stream: Stream;
  /** The receiver sends nothing back (QUIT). */
  readonly oneWay: boolean;
  /**
   * How many bytes of payload a decoded request announces, where `stream` is "request". The session checks that body
   * length = fixed part + this before it passes the payload on.
   */
  readonly payloadSize: Stream extends "request" ? (request: Request) => number : undefined;
  /** The header's status byte of a request that uses it (protocol §1.1); absent where it is 0. */
  readonly statusOfRequest?: (request: Request) => number;
}

// biome-ignore lint/suspicious/noExplicitAny: the one place where messages of all types meet.
export type AnyMessage = Message<any, any, StreamSide>;
export type MessageFamily = Readonly<Record<string, AnyMessage>>;
export type RequestOf<M> =
  M extends Message<infer Request, infer _Reply, infer _S> ? Request : never;
export type ReplyOf<M> = M extends Message<infer _Request, infer Reply, infer _S> ? Reply : never;

interface Declaration<Request, Reply> {
  readonly name: string;
  readonly command: number;
  readonly request: Codec<Request>;
  readonly reply: Codec<Reply>;
  readonly oneWay?: boolean;
  readonly statusOfRequest?: (request: Request) => number;
}

/** An exchange whose both sides fit into memory. Both codecs insist on the whole body: surplus bytes are an error. */
export function message<Request, Reply>(
  declaration: Declaration<Request, Reply>,
): Message<Request, Reply, "none"> {
  const { request, reply } = declaration;
  return {
    oneWay: false,
    ...declaration,
    request: whole(request),
    reply: whole(reply),
    stream: "none",
    payloadSize: undefined,
  };
}

/** A request whose fixed part is followed by a payload, which the decoder leaves unread; its length is announced there. */
export function uploadMessage<Request, Reply>(
  declaration: Declaration<Request, Reply> & {
    readonly payloadSize: (request: Request) => number;
  },
): Message<Request, Reply, "request"> {
  return { oneWay: false, ...declaration, reply: whole(declaration.reply), stream: "request" };
}

/** A request that is answered by a payload; the reply codec covers nothing. */
export function downloadMessage<Request>(
  declaration: Omit<Declaration<Request, undefined>, "reply">,
): Message<Request, undefined, "reply"> {
  const { request } = declaration;
  return {
    oneWay: false,
    ...declaration,
    request: whole(request),
    reply: nothing,
    stream: "reply",
    payloadSize: undefined,
  };
}

/** The empty body. */
export const nothing: Codec<undefined> = {
  encode: () => {},
  decode: () => undefined,
};

/** The same codec over a complete body, which must end where the value does. */
function whole<T>(codec: Codec<T>): Codec<T> {
  return {
    encode: codec.encode,
    decode(reader, context) {
      const value = codec.decode(reader, context);
      reader.expectEnd();
      return value;
    },
  };
}
