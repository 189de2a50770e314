/**
 * The calling end of a frame connection: one exchange at a time, with a time limit on every step. After any error in an
 * exchange that carries a payload the connection is of no further use (protocol §1.6), which `usable` tells.
 */
import { assert } from "#base/assert.ts";
import type { ByteFlow, ByteSink, ByteSource } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";
import { IncomingPayload } from "#net/incoming-payload.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Connection, ConnectOptions, Network } from "#platform/network.ts";
import type { WireContext } from "#protocol/codec.ts";
import { narrowAddresses, WireReader, WireWriter } from "#protocol/codec.ts";
import { headerSize, readLength, replyCommand, writeHeader } from "#protocol/header.ts";
import type { Message } from "#protocol/message.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import { WireStatusError } from "#protocol/wire-status.ts";

/** A reply that is held in memory must not be larger; lists of groups and storages are far below. */
const maxReplyBytes = 16 * 1024 * 1024;
const piecesInFlight = 4;

export interface FrameClientOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** Limit for each step: the reply's first byte, and each pause within it. */
  readonly networkTimeoutMs: number;
  readonly context?: WireContext;
}

interface Waiting {
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: Error) => void;
  readonly streamed: ((length: number) => IncomingPayload) | undefined;
}

export class FrameClient {
  /** As `networkTimeoutMs`; may be raised for a step that is known to take longer, also while it is under way. */
  timeoutMs: number;
  readonly #connection: Connection;
  readonly #options: FrameClientOptions;
  readonly #context: WireContext;
  #waiting: Waiting | undefined;
  #payload: IncomingPayload | undefined;
  readonly #header = Buffer.allocUnsafe(headerSize);
  #headerFilled = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;
  #timer: Timer | undefined;
  #progressAt = 0;
  #broken: Error | undefined;
  /** Continues an upload that waits for the kernel to take something. */
  #wakeSender: (() => void) | undefined;
  /** Called once when the connection has become unusable by itself. */
  onBroken: () => void = () => {};

  private constructor(connection: Connection, options: FrameClientOptions) {
    this.#connection = connection;
    this.#options = options;
    this.timeoutMs = options.networkTimeoutMs;
    this.#context = options.context ?? narrowAddresses;
    connection.onReceive = (chunk) => this.#receive(chunk);
    connection.onEnd = () => connection.end();
    connection.onClose = (error) =>
      this.#fail(netError("flow-broken", "the peer closed the connection", error));
  }

  static async connect(
    where: ConnectOptions,
    options: FrameClientOptions,
    signal?: AbortSignal,
  ): Promise<FrameClient> {
    try {
      return new FrameClient(await options.network.connect(where, signal), options);
    } catch (error) {
      throw netError("peer-unreachable", `cannot reach ${where.address}:${where.port}`, error);
    }
  }

  /** False when the next exchange would fail for certain. */
  get usable(): boolean {
    return (
      this.#broken === undefined &&
      this.#waiting === undefined &&
      this.#payload === undefined &&
      !this.#connection.closed
    );
  }

  get localAddress(): string {
    return this.#connection.localAddress;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  /**
   * One exchange without payload. Rejects with `WireStatusError` when the peer answers a status other than 0, which leaves
   * the connection usable, or with a net error, which does not.
   */
  async call<Request, Reply>(
    message: Message<Request, Reply, "none">,
    request: Request,
  ): Promise<Reply> {
    const writer = this.#encode(message, request, 0);
    const body = this.#expect(undefined);
    this.#connection.write(writer.bytes());
    return this.#decode(message, await body);
  }

  /** Sends a payload behind the request's fixed part. Any failure makes the connection unusable. */
  upload<Request, Reply>(
    message: Message<Request, Reply, "request">,
    request: Request,
    source: ByteSource,
  ): Promise<Reply> {
    return this.uploadTo(message, request, { source, survives: () => false });
  }

  /**
   * As `upload`, to a peer that answers some statuses only when it has read the whole payload: those that `survives` accepts leave the
   * connection usable.
   */
  async uploadTo<Request, Reply>(
    message: Message<Request, Reply, "request">,
    request: Request,
    how: { readonly source: ByteSource; readonly survives: (status: number) => boolean },
  ): Promise<Reply> {
    const { source, survives } = how;
    try {
      const writer = this.#encode(message, request, source.length);
      return await this.#uploadBehind(message, writer, { source, survives });
    } finally {
      // Also after its last byte: a file that was read to its end is still open.
      source.close();
    }
  }

  async #uploadBehind<Request, Reply>(
    message: Message<Request, Reply, "request">,
    writer: WireWriter,
    how: { readonly source: ByteSource; readonly survives: (status: number) => boolean },
  ): Promise<Reply> {
    const { source, survives } = how;
    const body = this.#expect(undefined);
    // The reply may be a refusal that comes while we still send: the rest of the payload is not worth sending then.
    let refused = false;
    body.catch(() => {
      refused = true;
      this.#wakeSender?.();
    });
    let sentAll = false;
    try {
      sentAll = await this.#sendBehind(writer.bytes(), source, () => refused);
      return this.#decode(message, await body);
    } catch (error) {
      const isFine = error instanceof WireStatusError && survives(error.status);
      if (!sentAll || !isFine) this.destroy();
      throw error;
    }
  }

  /** Sends a streamed message without its payload, as SYNC_CREATE_FILE with a status does (protocol §2.7/16). */
  async announce<Request, Reply>(
    message: Message<Request, Reply, "request">,
    request: Request,
  ): Promise<Reply> {
    const writer = this.#encode(message, request, 0);
    const body = this.#expect(undefined);
    this.#connection.write(writer.bytes());
    return this.#decode(message, await body);
  }

  /** Resolves when the reply's header is there; the flow must be drained before the next exchange. */
  async download<Request>(
    message: Message<Request, undefined, "reply">,
    request: Request,
  ): Promise<ByteFlow> {
    const writer = this.#encode(message, request, 0);
    let payload: IncomingPayload | undefined;
    const begun = this.#expect((length) => {
      payload = new IncomingPayload(length, this.#connection);
      return payload;
    });
    this.#connection.write(writer.bytes());
    await begun;
    const flow = payload ?? new IncomingPayload(0, this.#connection);
    return this.#watched(flow);
  }

  /** Polite end: QUIT needs no answer, closing alone means the same (protocol §1.6). */
  close(): void {
    if (this.#waiting !== undefined) {
      this.destroy();
      return;
    }
    this.#broken ??= netError("flow-broken", "the connection was closed here");
    this.#timer?.cancel();
    this.#connection.end();
    this.#timer = this.#options.clock.after(this.timeoutMs, () => this.#connection.destroy());
  }

  destroy(): void {
    this.#broken ??= netError("flow-broken", "the connection was closed here");
    this.#timer?.cancel();
    this.#connection.destroy();
  }

  #encode<Request, Reply>(
    message: Message<Request, Reply>,
    request: Request,
    payloadLength: number,
  ): WireWriter {
    assert(this.#waiting === undefined, "one exchange at a time on a connection");
    const writer = new WireWriter(192);
    writer.zeros(headerSize);
    message.request.encode(request, writer, this.#context);
    const bytes = writer.bytes();
    writeHeader(bytes, 0, {
      length: bytes.length - headerSize + payloadLength,
      command: message.command,
      status: message.statusOfRequest?.(request) ?? 0,
    });
    return writer;
  }

  #decode<Request, Reply>(message: Message<Request, Reply>, body: Buffer): Reply {
    try {
      const reader = new WireReader(body);
      const reply = message.reply.decode(reader, this.#context);
      reader.expectEnd();
      return reply;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.destroy();
      throw netError("peer-misbehaved", `the reply to ${message.name} makes no sense`, error);
    }
  }

  #expect(streamed: ((length: number) => IncomingPayload) | undefined): Promise<Buffer> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise<Buffer>((resolve, reject) => {
      this.#waiting = { resolve, reject, streamed };
      this.#watch();
    });
  }

  /** True where all of it was sent. */
  async #sendBehind(
    head: Uint8Array,
    source: ByteSource,
    refused: () => boolean,
  ): Promise<boolean> {
    let inFlight = 0;
    let sent = 0;
    this.#connection.cork();
    this.#connection.write(head);
    let corked = true;
    for (;;) {
      const piece = await source.next();
      if (piece === undefined || this.#connection.closed || refused()) {
        piece?.release();
        if (piece === undefined && sent < source.length) throw wrongLength(sent, source.length);
        break;
      }
      sent += piece.bytes.length;
      if (sent > source.length) {
        piece.release();
        throw wrongLength(sent, source.length);
      }
      inFlight += 1;
      this.#connection.write(piece.bytes, () => {
        inFlight -= 1;
        piece.release();
        this.#progressAt = this.#options.clock.monotonicMs();
        this.#wakeSender?.();
      });
      if (corked) this.#connection.uncork();
      corked = false;
      while (inFlight >= piecesInFlight && !this.#connection.closed && !refused()) {
        await new Promise<void>((resolve) => {
          this.#wakeSender = resolve;
        });
      }
    }
    if (corked) this.#connection.uncork();
    return sent === source.length;
  }

  /** Ends the exchange when the peer stays silent for too long. */
  #watch(): void {
    this.#progressAt = this.#options.clock.monotonicMs();
    const check = (): void => {
      const limit = this.timeoutMs;
      // Whoever drains a reply may take its time: that is not the peer's silence.
      if (this.#payload?.paused === true) this.#progressAt = this.#options.clock.monotonicMs();
      const rest = this.#progressAt + limit - this.#options.clock.monotonicMs();
      if (rest > 0) {
        this.#timer = this.#options.clock.after(rest, check);
        return;
      }
      this.#fail(netError("peer-silent", `no answer within ${limit} ms`));
      this.#connection.destroy();
    };
    this.#timer = this.#options.clock.after(this.timeoutMs, check);
  }

  #watched(payload: IncomingPayload): ByteFlow {
    const end = (): void => {
      this.#payload = undefined;
      this.#timer?.cancel();
    };
    return {
      length: payload.length,
      resume: () => {
        this.#progressAt = this.#options.clock.monotonicMs();
        payload.resume();
      },
      drainTo: async (sink: ByteSink) => {
        this.#progressAt = this.#options.clock.monotonicMs();
        try {
          await payload.drainTo(sink);
        } catch (error) {
          this.destroy();
          throw error;
        } finally {
          end();
        }
      },
    };
  }

  #receive(chunk: Uint8Array): void {
    this.#progressAt = this.#options.clock.monotonicMs();
    let at = 0;
    while (at < chunk.length) {
      const payload = this.#payload;
      if (payload !== undefined && payload.missing > 0) {
        at += payload.receive(at === 0 ? chunk : chunk.subarray(at));
        continue;
      }
      if (this.#waiting === undefined) {
        this.#fail(netError("peer-misbehaved", "the peer sent more than was asked for"));
        this.#connection.destroy();
        return;
      }
      at += this.#body === undefined ? this.#takeHeader(chunk, at) : this.#takeBody(chunk, at);
    }
    const payload = this.#payload;
    if (payload === undefined) return;
    payload.settle();
    if (payload.missing === 0) this.#timer?.cancel();
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const count = Math.min(headerSize - this.#headerFilled, chunk.length - at);
    this.#header.set(chunk.subarray(at, at + count), this.#headerFilled);
    this.#headerFilled += count;
    if (this.#headerFilled < headerSize) return count;
    this.#headerFilled = 0;
    const length = readLength(this.#header, 0);
    const status = this.#header[9] as number;
    if (length < 0 || this.#header[8] !== replyCommand) {
      this.#fail(netError("peer-misbehaved", "the peer's reply has no valid header"));
      this.#connection.destroy();
      return chunk.length - at;
    }
    const waiting = this.#waiting;
    if (status === 0 && waiting?.streamed !== undefined) {
      this.#waiting = undefined;
      const payload = waiting.streamed(length);
      if (length > 0) this.#payload = payload;
      else this.#timer?.cancel();
      waiting.resolve(Buffer.alloc(0));
      return count;
    }
    if (length > maxReplyBytes) {
      this.#fail(netError("peer-misbehaved", `a reply of ${length} bytes is too long`));
      this.#connection.destroy();
      return chunk.length - at;
    }
    this.#body = Buffer.allocUnsafe(length);
    this.#bodyFilled = 0;
    if (length === 0) this.#deliver(this.#body, status);
    return count;
  }

  #takeBody(chunk: Uint8Array, at: number): number {
    const body = this.#body as Buffer;
    const count = Math.min(body.length - this.#bodyFilled, chunk.length - at);
    body.set(chunk.subarray(at, at + count), this.#bodyFilled);
    this.#bodyFilled += count;
    if (this.#bodyFilled === body.length) this.#deliver(body, this.#header[9] as number);
    return count;
  }

  #deliver(body: Buffer, status: number): void {
    this.#body = undefined;
    this.#timer?.cancel();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (status === 0) waiting?.resolve(body);
    else waiting?.reject(new WireStatusError(status, `the peer answered with status ${status}`));
  }

  #fail(error: Error): void {
    const wasUsable = this.#broken === undefined;
    this.#broken ??= error;
    this.#timer?.cancel();
    if (wasUsable) this.onBroken();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
    this.#payload?.fail(error);
  }
}

function wrongLength(sent: number, length: number): Error {
  return netError("flow-broken", `the source gave ${sent} of ${length} bytes`);
}
