/**
 * HTTP as the roles see it: a handler is a function from a request to a response, and both are values. What Node's HTTP
 * objects do is `http-server.ts`'s business alone. Main thread.
 */
import type { ByteSink, ByteSource } from "#net/byte-flow.ts";

/** The payload of a request. Drained at most once; whatever the handler leaves is dropped by the server. */
export interface HttpBody {
  /** As announced by Content-Length; 0 without a payload, undefined where only the end of the stream will tell. */
  readonly length: number | undefined;
  /**
   * Hands every byte to `sink`, and tells a waiting client to go on first (`Expect: 100-continue`). Rejects with `flow-broken`
   * when the client stops early, with `peer-silent` when it is slower than the limits allow.
   */
  drainTo(sink: ByteSink): Promise<void>;
  /** The sink can take more. Harmless at any time. */
  resume(): void;
}

export interface HttpRequest {
  readonly method: string;
  /** The request target as it was sent, at most the header limit long. */
  readonly target: string;
  readonly remoteAddress: string;
  /** `name` in lower case; repeated fields are joined by commas where HTTP allows that. */
  header(name: string): string | undefined;
  readonly body: HttpBody;
}

export type HttpHeaders = Readonly<Record<string, string>>;

export interface HttpResponse {
  readonly status: number;
  /** Names in their usual spelling, values without control characters. Content-Length comes from the body. */
  readonly headers: HttpHeaders;
  /** Not sent for HEAD, 204 and 304; a source is closed in any case. */
  readonly body?: Uint8Array | ByteSource | undefined;
  /** Content-Length of a reply to HEAD whose body nobody made. */
  readonly length?: number | undefined;
}

/** Must not reject; where it does, the client gets 500 and the log an error. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

/** One exchange after its end, for access logs and metrics. */
export interface HttpExchangeRecord {
  readonly method: string;
  readonly target: string;
  readonly remoteAddress: string;
  readonly status: number;
  readonly receivedBytes: number;
  /** Of the body. */
  readonly sentBytes: number;
  readonly durationMs: number;
  /** False when the connection broke before the reply was out. */
  readonly complete: boolean;
}
