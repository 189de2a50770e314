/**
 * One accepted connection that speaks frames: ten bytes of header and a body (protocol §1). Cuts the byte stream into
 * requests, runs one handler at a time, sends its reply. Small bodies are decoded where they were received; payloads are
 * passed on as they come. Owned by its `FrameServer`. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { present } from "#base/assert.ts";
import type { ByteSource } from "#net/byte-flow.ts";
import { type DirectPeer, FramePeer } from "#net/direct-peer.ts";
import type { HandlerEntry } from "#net/frame-handlers.ts";
import { maxEarlyBytes, maxHeadBytes, maxUnsentBytes } from "#net/frame-limits.ts";
import { replyFrame, statusFrame } from "#net/frame-reply.ts";
import { PayloadSender } from "#net/frame-sender.ts";
import type { FrameServices } from "#net/frame-server.ts";
import { IncomingPayload } from "#net/incoming-payload.ts";
import type { Connection } from "#platform/network.ts";
import { WireReader } from "#protocol/codec.ts";
import { endlessLength, headerSize, readLength, replyCommand } from "#protocol/header.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import { wireStatus } from "#protocol/wire-status.ts";

const nothing = new Uint8Array(0);

type Phase = "header" | "body" | "head" | "payload" | "discard";

export class FrameSession<Facts> {
  /** What the server's handlers know of this peer, such as which storage it joined as. */
  facts: Facts;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly peer: DirectPeer;
  readonly #connection: Connection;
  readonly #services: FrameServices<Facts>;
  readonly #header = Buffer.allocUnsafe(headerSize);
  #headerFilled = 0;
  #phase: Phase = "header";
  #entry: HandlerEntry<Facts> | undefined;
  #status = 0;
  #missing = 0;
  #collected: Buffer | undefined;
  #collectedFilled = 0;
  #payload: IncomingPayload | undefined;
  #busy = false;
  #sending = false;
  #early: Buffer | undefined;
  #requests = 0;
  /** What follows the exchange under way: the next one, an end that waits for the peer's, or one that does not. */
  #ending: "no" | "polite" | "quick" = "no";
  /** We have closed our side: what still comes is dropped. */
  #givenUp = false;
  /** The peer has closed its side, and may still wait for replies. */
  #peerDone = false;
  #receiving = false;
  #progressAt: number;

  constructor(connection: Connection, facts: Facts, services: FrameServices<Facts>) {
    this.#connection = connection;
    this.#services = services;
    this.peer = new FramePeer(connection);
    this.facts = facts;
    this.remoteAddress = connection.remoteAddress;
    this.remotePort = connection.remotePort;
    this.#progressAt = services.coarseNowMs();
    connection.onReceive = (chunk) => this.#receive(chunk);
    connection.onEnd = () => this.#peerEnded();
    connection.onClose = (error) => this.#closed(error);
  }

  /** Of our end. */
  get localAddress(): string {
    return this.#connection.localAddress;
  }

  /** False until a first request was received whole; such sessions make room when connections run out. */
  get proven(): boolean {
    return this.#requests > 0;
  }

  get idle(): boolean {
    return !this.#busy && this.#phase === "header" && this.#headerFilled === 0;
  }

  /** Ends the session after the exchange under way, if any. */
  finish(): void {
    this.#ending = "quick";
    if (this.idle) this.#leave();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  /** Ends a session whose peer has stalled; called about once a second. */
  expire(nowMs: number, timeoutMs: number): void {
    if (!this.#waitsForPeer()) {
      this.#progressAt = nowMs;
      return;
    }
    if (nowMs - this.#progressAt < timeoutMs) return;
    this.#services.log.debug("session-stalled", { peer: this.remoteAddress, phase: this.#phase });
    this.#connection.destroy();
  }

  /** While we are at work, or keep a payload waiting, the peer's silence means nothing. */
  #waitsForPeer(): boolean {
    if (this.#sending || this.#givenUp) return true;
    const payload = this.#payload;
    if (this.#busy) return payload !== undefined && payload.missing > 0 && !payload.paused;
    return !this.idle || !this.proven;
  }

  #receive(chunk: Uint8Array): void {
    if (this.#givenUp) return;
    this.#progressAt = this.#services.coarseNowMs();
    this.#receiving = true;
    let at = 0;
    while (at < chunk.length && !this.#givenUp && !this.#connection.closed) {
      if (this.#phase === "header" && this.#busy) {
        this.#holdBack(chunk.subarray(at));
        break;
      }
      at += this.#step(chunk, at);
    }
    this.#receiving = false;
    this.#payload?.settle();
    if (this.#peerDone) this.#endAfterPeer();
  }

  #step(chunk: Uint8Array, at: number): number {
    switch (this.#phase) {
      case "header":
        return this.#takeHeader(chunk, at);
      case "body":
        return this.#takeBody(chunk, at);
      case "head":
        return this.#takeHead(chunk, at);
      case "payload":
        return this.#takePayload(chunk, at);
      case "discard": {
        const count = Math.min(this.#missing, chunk.length - at);
        this.#missing -= count;
        if (this.#missing === 0) this.#exchangeEnded();
        return count;
      }
    }
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    if (this.#headerFilled === 0 && chunk.length - at >= headerSize) {
      this.#startRequest(chunk, at);
      return headerSize + (this.#missing === 0 ? this.#emptyBody() : 0);
    }
    const count = Math.min(headerSize - this.#headerFilled, chunk.length - at);
    this.#header.set(chunk.subarray(at, at + count), this.#headerFilled);
    this.#headerFilled += count;
    if (this.#headerFilled < headerSize) return count;
    this.#headerFilled = 0;
    this.#startRequest(this.#header, 0);
    if (this.#missing === 0) this.#emptyBody();
    return count;
  }

  #startRequest(source: Uint8Array, at: number): void {
    const length = readLength(source, at);
    const command = source[at + 8] as number;
    this.#status = source[at + 9] as number;
    const entry = this.#services.handlers.get(command);
    const streamed = entry?.message.stream === "request";
    if (length < 0 || (!streamed && length > this.#services.maxBodyBytes)) {
      this.#refuseLength(length, command);
      return;
    }
    this.#entry = entry;
    this.#missing = length;
    if (streamed) {
      this.#phase = "head";
    } else {
      this.#phase = "body";
    }
    if (entry === undefined) {
      this.#services.log.debug("unknown-command", { command, peer: this.remoteAddress });
    }
  }

  #refuseLength(length: number, command: number): void {
    this.#services.log.debug("bad-length", { length, command, peer: this.remoteAddress });
    this.#missing = 1;
    if (length < 0 || !this.#services.answersOversized) {
      this.#connection.destroy();
      return;
    }
    this.#connection.write(statusFrame(wireStatus.invalid));
    this.#giveUp();
  }

  /** Runs a request that has no body at once; consumes nothing. */
  #emptyBody(): number {
    if (this.#phase === "body") this.#dispatchBody(this.#header, 0, 0);
    else if (this.#phase === "head") this.#dispatchHead(this.#header, 0, 0);
    return 0;
  }

  #takeBody(chunk: Uint8Array, at: number): number {
    const available = chunk.length - at;
    if (this.#collected === undefined && available >= this.#missing) {
      const count = this.#missing;
      this.#dispatchBody(chunk, at, at + count);
      return count;
    }
    this.#collected ??= Buffer.allocUnsafe(this.#missing);
    const count = Math.min(this.#missing, available);
    this.#collected.set(chunk.subarray(at, at + count), this.#collectedFilled);
    this.#collectedFilled += count;
    this.#missing -= count;
    if (this.#missing > 0) return count;
    const body = this.#collected;
    this.#collected = undefined;
    this.#collectedFilled = 0;
    this.#dispatchBody(body, 0, body.length);
    return count;
  }

  #dispatchBody(bytes: Uint8Array, start: number, end: number): void {
    this.#phase = "header";
    this.#missing = 0;
    this.#requests += 1;
    const entry = this.#entry;
    if (entry === undefined) {
      this.#fail(new ProtocolError("invalid", "unknown command"));
      return;
    }
    if (entry.message.oneWay) {
      this.#ending = "quick";
      this.#leave();
      return;
    }
    let request: unknown;
    try {
      const reader = new WireReader(bytes, start, end);
      request = entry.message.request.decode(reader, this.#services.context(this.#status));
      reader.expectEnd();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#run(entry, request);
  }

  /** The fixed part in front of a payload: decoded where it lies, or collected when it came in pieces. */
  #takeHead(chunk: Uint8Array, at: number): number {
    const available = Math.min(chunk.length - at, this.#missing);
    if (this.#collected === undefined) {
      const used = this.#dispatchHead(chunk, at, at + available);
      if (used !== undefined) return used;
      // From here on the bytes of the head are collected; a head that never becomes valid is dropped with them.
      this.#collected = Buffer.allocUnsafe(Math.min(maxHeadBytes, this.#missing));
      this.#collectedFilled = 0;
    }
    const held = this.#collected;
    const before = this.#collectedFilled;
    const count = Math.min(available, held.length - before);
    held.set(chunk.subarray(at, at + count), before);
    const used = this.#dispatchHead(held, 0, before + count);
    if (used === undefined) {
      this.#collectedFilled += count;
      return count;
    }
    this.#collected = undefined;
    this.#collectedFilled = 0;
    // Of the collected bytes only those up to the end of the head were used; the rest of the chunk is payload.
    return Math.max(0, used - before);
  }

  /** Bytes used, or undefined while the head is not complete. */
  #dispatchHead(bytes: Uint8Array, start: number, end: number): number | undefined {
    const entry = present(this.#entry, "the entry of a streamed request");
    let request: unknown;
    let headLength: number;
    try {
      const reader = new WireReader(bytes, start, end);
      request = entry.message.request.decode(reader, this.#services.context(this.#status));
      headLength = reader.position - start;
      const announced = entry.message.payloadSize?.(request) ?? 0;
      if (announced !== this.#missing - headLength) {
        throw new ProtocolError("invalid", `${announced} bytes announced, the body has others`);
      }
    } catch (error) {
      const whole = end - start >= Math.min(this.#missing, maxHeadBytes);
      if (error instanceof ProtocolError && error.reason === "short" && !whole) return undefined;
      this.#requests += 1;
      this.#phase = "payload";
      // All that has not been collected yet is left to be dropped.
      const rest = this.#missing - this.#collectedFilled;
      this.#payload = new IncomingPayload(rest, this.#connection);
      this.#busy = true;
      this.#fail(error);
      return 0;
    }
    this.#requests += 1;
    const length = this.#missing - headLength;
    this.#missing = 0;
    this.#payload = new IncomingPayload(length, this.#connection);
    const taken = length > 0 ? this.#payload.receive(bytes.subarray(start + headLength, end)) : 0;
    this.#phase = this.#payload.missing > 0 ? "payload" : "header";
    this.#run(entry, request);
    return headLength + taken;
  }

  #takePayload(chunk: Uint8Array, at: number): number {
    const payload = this.#payload as IncomingPayload;
    const count = payload.receive(at === 0 ? chunk : chunk.subarray(at));
    if (payload.missing === 0) this.#phase = "header";
    return count;
  }

  #run(entry: HandlerEntry<Facts>, request: unknown): void {
    this.#busy = true;
    let result: unknown;
    try {
      result = entry.handle(request, this, this.#payload);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (result instanceof Promise) {
      result.then(
        (reply) => this.#succeed(entry, reply),
        (error: unknown) => this.#fail(error),
      );
    } else {
      this.#succeed(entry, result);
    }
  }

  #succeed(entry: HandlerEntry<Facts>, reply: unknown): void {
    if (this.#connection.closed) {
      if (entry.message.stream === "reply") (reply as ByteSource).close();
      return;
    }
    if (entry.message.stream === "reply") {
      this.#sendPayload(reply as ByteSource);
      return;
    }
    let bytes: Buffer;
    try {
      bytes = replyFrame(entry.message, reply, this.#services.context(0));
    } catch (error) {
      const why = `the reply to ${entry.message.name} cannot be written: ${describeError(error)}`;
      this.#fail(new Error(why, { cause: error }));
      return;
    }
    this.#connection.write(bytes);
    this.#replied();
  }

  #sendPayload(source: ByteSource): void {
    this.#sending = true;
    const sender = new PayloadSender(this.#connection, source, {
      headerCommand: replyCommand,
      progress: () => {
        this.#progressAt = this.#services.coarseNowMs();
      },
      sent: () => {
        this.#sending = false;
        // Only the end of the connection tells the peer that there is no more.
        if (source.length === endlessLength) this.#ending = "quick";
        this.#exchangeEnded();
      },
      failed: (error) => {
        source.close();
        this.#services.log.debug("reply-broken", { why: describeError(error) });
        this.#connection.destroy();
      },
    });
    sender.start();
  }

  #fail(error: unknown): void {
    if (this.#connection.closed) return;
    const status = this.#services.statusOf(error, {
      peer: this.remoteAddress,
      command: this.#entry?.message.name ?? "unknown",
    });
    this.#connection.write(statusFrame(status));
    const { closesAfterInvalid } = this.#services;
    if (status === wireStatus.invalid && closesAfterInvalid && this.#ending === "no") {
      this.#ending = "polite";
    }
    this.#replied();
  }

  /** A reply is on its way. Peers that ask on without reading must not fill our memory. */
  #replied(): void {
    if (this.#connection.unsentBytes <= maxUnsentBytes) {
      this.#exchangeEnded();
      return;
    }
    this.#sending = true;
    this.#connection.write(nothing, () => {
      this.#sending = false;
      this.#progressAt = this.#services.coarseNowMs();
      this.#exchangeEnded();
    });
  }

  /** Drops what is left of a payload, then takes the next request. */
  #exchangeEnded(): void {
    const payload = this.#payload;
    this.#payload = undefined;
    this.#busy = false;
    if (payload !== undefined && payload.missing > 0) {
      this.#phase = "discard";
      this.#missing = payload.missing;
      payload.abandon();
      if (this.#missing > this.#services.maxDiscardBytes) this.#giveUp();
      return;
    }
    this.#phase = "header";
    if (this.#ending !== "no") {
      this.#leave();
      return;
    }
    const early = this.#early;
    if (early !== undefined) {
      this.#early = undefined;
      this.#connection.resumeReceiving();
      this.#receive(early);
    } else if (this.#peerDone && !this.#receiving) {
      this.#endAfterPeer();
    }
  }

  /** Keeps what a peer sent before it had its reply. */
  #holdBack(bytes: Uint8Array): void {
    this.#early =
      this.#early === undefined ? Buffer.from(bytes) : Buffer.concat([this.#early, bytes]);
    if (this.#early.length > maxEarlyBytes) this.#connection.pauseReceiving();
  }

  /**
   * Closes our side and drops what still comes, so that the peer gets its reply and no reset (protocol §1.6). One that does
   * not close in turn is cut off by `expire`.
   */
  #giveUp(): void {
    if (this.#givenUp) return;
    this.#givenUp = true;
    this.#early = undefined;
    this.#progressAt = this.#services.coarseNowMs();
    this.#connection.resumeReceiving();
    this.#connection.end();
  }

  /** Ends the session between two exchanges. The peer has sent nothing that we have not read. */
  #leave(): void {
    if (this.#ending !== "quick") {
      this.#giveUp();
      return;
    }
    this.#givenUp = true;
    if (this.#connection.unsentBytes === 0) this.#connection.destroy();
    else this.#connection.write(nothing, () => this.#connection.destroy());
  }

  /** A peer that sends no more still gets its replies; one that leaves in the middle of a payload waits for none. */
  #peerEnded(): void {
    this.#peerDone = true;
    const payload = this.#payload;
    if (payload !== undefined && payload.missing > 0) {
      payload.fail(undefined);
      this.#connection.destroy();
      return;
    }
    this.#endAfterPeer();
  }

  #endAfterPeer(): void {
    if (this.#busy || this.#early !== undefined) return;
    if (this.#connection.unsentBytes > 0 || this.#givenUp) {
      this.#giveUp();
      return;
    }
    // With nothing left to send or to receive, closing is enough: both directions end in order, for two system calls less.
    this.#givenUp = true;
    this.#connection.destroy();
  }

  #closed(error: Error | undefined): void {
    this.#payload?.fail(error);
    this.#services.sessionClosed(this);
  }
}
