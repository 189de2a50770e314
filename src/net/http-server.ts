/**
 * A listening port that speaks HTTP/1.1: Node's server behind our own request and response values, with every size, count and
 * wait limited. Requests of one connection are answered one after another. Slow clients are cut off by rate, not by the
 * age of the request, so that a large upload may take hours while a trickle may not. Main thread.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { ByteSource } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";
import { IncomingBody } from "#net/http-incoming-body.ts";
import type { HttpLimits } from "#net/http-limits.ts";
import type {
  HttpExchangeRecord,
  HttpHandler,
  HttpRequest,
  HttpResponse,
} from "#net/http-message.ts";
import { earlyRefusal, ownResponse } from "#net/http-refusal.ts";
import type { Clock, Timer } from "#platform/clock.ts";

const sweepPeriodMs = 1000;

export interface HttpServerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: HttpLimits;
  readonly handler: HttpHandler;
  readonly onExchange?: (record: HttpExchangeRecord) => void;
}

interface Session {
  /** Settles when the last exchange that arrived so far has ended. */
  tail: Promise<void>;
  /** Exchanges that have not ended. */
  pending: number;
}

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #servers: Server[] = [];
  readonly #sessions = new Map<Socket, Session>();
  readonly #exchanges = new Set<HttpExchange>();
  #sweep: Timer | undefined;
  #stopping = false;
  #refused = 0;

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  get connectionCount(): number {
    return this.#sessions.size;
  }

  /** Connections turned away because there were too many. */
  get refusedCount(): number {
    return this.#refused;
  }

  /**
   * Listens on each of `addresses` and resolves to the port, a free one for 0. Rejects with the system's error, listening
   * nowhere, where one address cannot be had.
   */
  async listen(addresses: readonly string[], port: number): Promise<number> {
    let found = port;
    try {
      for (const address of addresses) {
        const server = this.#makeServer();
        this.#servers.push(server);
        found = await listenOn(server, { host: address, port: found }, (error) => {
          this.#options.log.warn("http-accept-failed", { why: error.message });
        });
      }
    } catch (error) {
      await this.stop(0);
      throw error;
    }
    this.#sweep = this.#options.clock.every(sweepPeriodMs, () => this.#cutSlowClients());
    return found;
  }

  /** Takes no new requests, lets those under way finish for `graceMs`, then cuts them off. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const closed = this.#servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
        }),
    );
    for (const [socket, session] of this.#sessions) {
      if (session.pending === 0) socket.destroy();
    }
    const deadline = this.#options.clock.after(graceMs, () => {
      for (const socket of this.#sessions.keys()) socket.destroy();
    });
    await Promise.all(closed);
    deadline.cancel();
    this.#sweep?.cancel();
  }

  #makeServer(): Server {
    const { limits } = this.#options;
    const server = createServer({
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      // Bodies are watched by rate, see `HttpExchange.passTime`.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 2 * sweepPeriodMs),
      keepAlive: true,
      noDelay: true,
    });
    // Node drops what is above the limit without a word; one more than ours shows that there was more.
    server.maxHeadersCount = limits.maxHeaders + 1;
    server.on("request", (request, response) => this.#take(request, response, false));
    server.on("checkContinue", (request, response) => this.#take(request, response, true));
    server.on("connection", (socket) => this.#admit(server, socket));
    server.on("clientError", (error, socket) => this.#refuse(error, socket as Socket));
    return server;
  }

  #admit(server: Server, socket: Socket): void {
    if (this.#sessions.size >= this.#options.limits.maxConnections) {
      this.#refused += 1;
      socket.destroy();
      // Those that only wait for a next request make room for the next client.
      server.closeIdleConnections();
      return;
    }
    this.#sessions.set(socket, { tail: Promise.resolve(), pending: 0 });
    socket.once("close", () => this.#sessions.delete(socket));
  }

  #take(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { socket } = request;
    const session = this.#sessions.get(socket);
    if (session === undefined || session.pending >= this.#options.limits.maxPipelined) {
      socket.destroy();
      return;
    }
    session.pending += 1;
    session.tail = session.tail.then(async () => {
      if (!socket.destroyed) {
        const exchange = new HttpExchange({ request, response, expectsContinue }, this.#options);
        this.#exchanges.add(exchange);
        await exchange.run(() => this.#stopping);
        this.#exchanges.delete(exchange);
      }
      session.pending -= 1;
      if (this.#stopping && session.pending === 0) socket.destroySoon();
    });
  }

  /** What could not be parsed as a request. */
  #refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    const busy = (this.#sessions.get(socket)?.pending ?? 0) > 0;
    if (busy || !socket.writable || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    this.#options.log.debug("http-request-refused", { code: error.code, why: error.message });
    socket.end(earlyRefusal(error.code), () => socket.destroy());
  }

  #cutSlowClients(): void {
    for (const exchange of this.#exchanges) exchange.passTime(sweepPeriodMs);
  }
}

interface IncomingExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for `100 Continue`. */
  readonly expectsContinue: boolean;
}

class HttpExchange implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly remoteAddress: string;
  readonly body: IncomingBody;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: HttpServerOptions;
  readonly #startedMs: number;
  #sentBytes = 0;
  #unsentBytes = 0;
  #lingering = false;
  /** How long the client has kept us waiting, less what its bytes were worth. */
  #waitedMs = 0;

  constructor(incoming: IncomingExchange, options: HttpServerOptions) {
    const { request, response, expectsContinue } = incoming;
    this.#request = request;
    this.#response = response;
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    this.method = request.method ?? "";
    this.target = request.url ?? "";
    this.remoteAddress = plainAddress(request.socket.remoteAddress ?? "");
    this.body = new IncomingBody(request, {
      length: announcedLength(request),
      onFirstRead: expectsContinue ? () => response.writeContinue() : undefined,
      onBytes: (count) => this.#earn(count),
    });
    response.on("error", (error) => {
      options.log.debug("http-response-failed", { why: error.message });
    });
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** Resolves when the exchange is over, whatever became of it. */
  async run(stopping: () => boolean): Promise<void> {
    const reply = await this.#reply();
    let complete = false;
    try {
      complete = await this.#respond(reply, stopping);
    } catch (error) {
      this.#options.log.debug("http-reply-broken", { why: describeError(error) });
      this.#response.destroy();
      this.#request.socket.destroy();
    }
    this.#options.onExchange?.({
      method: this.method,
      target: this.target,
      remoteAddress: this.remoteAddress,
      status: reply.status,
      receivedBytes: this.body.receivedBytes,
      sentBytes: this.#sentBytes,
      durationMs: this.#options.clock.monotonicMs() - this.#startedMs,
      complete,
    });
  }

  async #reply(): Promise<HttpResponse> {
    if (this.#request.rawHeaders.length / 2 > this.#options.limits.maxHeaders) {
      return ownResponse(431);
    }
    try {
      return await this.#options.handler(this);
    } catch (error) {
      this.#options.log.error("http-handler-failed", {
        method: this.method,
        why: describeError(error),
      });
      return ownResponse(500);
    }
  }

  /** True when everything was handed to the kernel. */
  async #respond(reply: HttpResponse, stopping: () => boolean): Promise<boolean> {
    const response = this.#response;
    const { body } = reply;
    const bodyless = this.method === "HEAD" || reply.status === 204 || reply.status === 304;
    this.body.abandon();
    if (response.destroyed || this.#request.socket.destroyed) {
      if (isSource(body)) body.close();
      return false;
    }
    const closes = stopping() || this.body.needsClose;
    if (closes) response.shouldKeepAlive = false;
    try {
      response.writeHead(reply.status, headersOf(reply));
    } catch (error) {
      if (isSource(body)) body.close();
      throw error;
    }
    if (bodyless || body === undefined || body.length === 0) {
      if (isSource(body)) body.close();
      if (closes) response.flushHeaders();
    } else if (isSource(body)) {
      await this.#send(body);
    } else {
      this.#write(body, () => {});
    }
    if (closes) {
      await this.#linger();
      return this.#finish();
    }
    const complete = await this.#finish();
    await this.#linger();
    // The connection is worth nothing before the rest of the request has come.
    if (!this.#request.complete) this.#request.socket.destroy();
    return complete;
  }

  async #send(source: ByteSource): Promise<void> {
    // One piece is with the socket at a time: the source may read the next one meanwhile.
    let sending = false;
    let wake: (() => void) | undefined;
    const onClose = (): void => wake?.();
    this.#response.once("close", onClose);
    try {
      for (;;) {
        const piece = await source.next();
        if (piece === undefined) break;
        if (this.#response.destroyed) {
          piece.release();
          throw netError("flow-broken", "the client went away");
        }
        sending = true;
        this.#write(piece.bytes, () => {
          sending = false;
          piece.release();
          wake?.();
        });
        while (sending && !this.#response.destroyed) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
      if (this.#sentBytes + this.#unsentBytes !== source.length) {
        throw netError("flow-broken", "the file ended before its announced length");
      }
    } finally {
      this.#response.off("close", onClose);
      source.close();
    }
  }

  #write(bytes: Uint8Array, done: () => void): void {
    this.#unsentBytes += bytes.length;
    this.#response.write(bytes, (error) => {
      this.#unsentBytes -= bytes.length;
      if (error === undefined || error === null) {
        this.#sentBytes += bytes.length;
        this.#earn(bytes.length);
      }
      done();
    });
  }

  /**
   * The client is still sending what nobody reads. Closing now would reset the connection, and the reset may overtake our
   * reply; so the rest is dropped for a while first.
   */
  async #linger(): Promise<void> {
    if (this.#request.complete || this.#request.destroyed) return;
    this.#lingering = true;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(this.#options.limits.lingerMs, resolve);
      const over = (): void => {
        timer.cancel();
        resolve();
      };
      this.#request.once("end", over);
      this.#request.once("close", over);
      this.#request.resume();
    });
    this.#lingering = false;
  }

  #finish(): Promise<boolean> {
    const response = this.#response;
    return new Promise((resolve) => {
      if (response.destroyed) {
        resolve(false);
        return;
      }
      response.once("finish", () => resolve(true));
      response.once("close", () => resolve(response.writableFinished));
      response.end();
    });
  }

  #earn(bytes: number): void {
    this.#waitedMs = Math.max(0, this.#waitedMs - this.#worthMs(bytes));
  }

  #worthMs(bytes: number): number {
    return (bytes * 1000) / this.#options.limits.minBytesPerSecond;
  }

  /** Called as time goes by: ends the exchange when its client is too slow. */
  passTime(ms: number): void {
    if (this.#lingering || (!this.body.awaited && this.#unsentBytes === 0)) return;
    this.#waitedMs += ms;
    const allowedMs = this.#options.limits.stallTimeoutMs + this.#worthMs(this.#unsentBytes);
    if (this.#waitedMs <= allowedMs) return;
    if (this.#unsentBytes > 0) this.#request.socket.destroy();
    else this.body.fail(netError("peer-silent", "the client sends too slowly, or not at all"));
  }
}

/** `onError`: what fails once it listens; before, that is the rejection. */
function listenOn(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  onError: (error: Error) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // "::" means every IPv6 address; the IPv4 ones have "0.0.0.0" beside it.
    server.listen({ host, port, ipv6Only: true }, () => {
      server.off("error", reject);
      server.on("error", onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** `::ffff:10.0.0.1` is 10.0.0.1. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** Node has refused everything but digits. */
function announcedLength(request: IncomingMessage): number | undefined {
  if (request.headers["transfer-encoding"] !== undefined) return undefined;
  return Number(request.headers["content-length"] ?? 0);
}

function isSource(body: Uint8Array | ByteSource | undefined): body is ByteSource {
  return body !== undefined && !(body instanceof Uint8Array);
}

function headersOf(reply: HttpResponse): string[] {
  const list: string[] = [];
  for (const [name, value] of Object.entries(reply.headers)) list.push(name, value);
  const length = reply.length ?? reply.body?.length ?? 0;
  if (reply.status !== 204 && reply.status !== 304) list.push("Content-Length", String(length));
  return list;
}
