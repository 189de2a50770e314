/**
 * TCP through `node:net`. Accepted sockets are wrapped anew so that they receive into one shared buffer instead of a fresh
 * one a chunk (performance notes §2: 8.9 against 11.8 µs an exchange); that needs the private handle of the socket, and
 * falls back to ordinary `data` events where a runtime has none. Main thread.
 */
import { lookup } from "node:dns/promises";
import {
  type AddressInfo,
  createServer,
  type Server,
  Socket,
  type SocketConnectOpts,
} from "node:net";
import { networkInterfaces } from "node:os";
import type { SocketLease } from "#platform/lent-sockets.ts";
import type {
  Connection,
  ConnectOptions,
  ConnectPathOptions,
  Listener,
  ListenOptions,
  ListenPathOptions,
  Network,
  NetworkAddress,
  PathListener,
} from "#platform/network.ts";
import { NodeLentSocket } from "#platform/node/node-lent-socket.ts";
import { listenOnDescriptor, listenOnPath } from "#platform/node/node-path-listener.ts";
import type { SystemCalls } from "#platform/node/node-system-calls.ts";

/** Large enough that a 256 KiB block fills in two reads, small enough to stay in the cache. */
const receiveBufferSize = 128 * 1024;
/** A peer that vanished without a word is asked for after this. */
const keepAliveSeconds = 60;

const ignoreChunk = (): void => {};
const nothing = new Uint8Array(0);

class NodeConnection implements Connection {
  onReceive: (chunk: Uint8Array) => void = ignoreChunk;
  onEnd: () => void = ignoreChunk;
  onClose: (error: Error | undefined) => void = ignoreChunk;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: Socket;
  readonly #calls: SystemCalls | undefined;
  #lent: NodeLentSocket | undefined;
  #error: Error | undefined;
  #closed = false;

  /** Without `calls` the socket is never lent. */
  constructor(socket: Socket, calls?: SystemCalls) {
    this.#socket = socket;
    this.#calls = calls;
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    socket.on("end", () => this.onEnd());
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => {
      this.#closed = true;
      this.#lent?.end();
      this.onClose(this.#error);
    });
  }

  // Asked for now and then only, and a system call.
  get localAddress(): string {
    return plainAddress(this.#socket.localAddress);
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  get closed(): boolean {
    return this.#closed || this.#socket.destroyed;
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array, done?: () => void): void {
    if (this.closed) {
      done?.();
      return;
    }
    this.#socket.write(bytes);
    if (done === undefined) return;
    // Mostly the kernel takes everything at once; else an empty write behind the others is done when they are.
    if (this.#socket.writableLength === 0) done();
    else this.#socket.write(nothing, done);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  acknowledge(): void {
    if (!this.closed) this.#calls?.acknowledge(descriptorOf(this.#socket));
  }

  pauseReceiving(): void {
    this.#socket.pause();
  }

  resumeReceiving(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#lent?.end();
    this.#socket.destroy();
  }

  get canLend(): boolean {
    return this.#calls !== undefined;
  }

  lend(): SocketLease | undefined {
    if (this.#calls === undefined || this.closed || this.#socket.writableLength > 0) {
      return undefined;
    }
    this.#lent ??= new NodeLentSocket(this.#calls, () => this.destroy());
    return this.#lent.lend(descriptorOf(this.#socket)) ? this.#lent : undefined;
  }
}

/** -1 where the runtime does not tell. */
function descriptorOf(socket: Socket): number {
  const handle = (socket as unknown as HandleOwner)._handle as { readonly fd?: unknown } | null;
  return typeof handle?.fd === "number" ? handle.fd : -1;
}

/** `::ffff:10.0.0.1` is 10.0.0.1. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** What a socket or server of Node keeps the kernel's under. */
interface HandleOwner {
  _handle: unknown;
}

/** The part of a listening handle that is used here. */
interface ListeningHandle {
  onconnection: (status: number, accepted: unknown) => void;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, delaySeconds: number): number;
}

/** Names the connection that a socket's bytes are for, once both are made. */
interface Receiver {
  connection: NodeConnection | undefined;
}

function receiveInto(buffer: Uint8Array, receiver: Receiver) {
  return {
    buffer,
    callback: (count: number, filled: Uint8Array): boolean => {
      receiver.connection?.onReceive(filled.subarray(0, count));
      return true;
    },
  };
}

function newSocket(options: object): Socket {
  return new Socket(options as ConstructorParameters<typeof Socket>[0]);
}

/** A connection over the handle of an accepted one, which receives into `buffer`. */
function connectionOver(
  handle: unknown,
  buffer: Uint8Array,
  calls: SystemCalls | undefined,
): NodeConnection {
  const receiver: Receiver = { connection: undefined };
  const onread = receiveInto(buffer, receiver);
  const socket = newSocket({ handle, allowHalfOpen: true, onread });
  const connection = new NodeConnection(socket, calls);
  receiver.connection = connection;
  return connection;
}

/** The connection of an accepted socket, whose handle is taken over into one that receives into `buffer`. */
function connectionOf(accepted: Socket, buffer: Uint8Array): NodeConnection {
  const owner = accepted as unknown as HandleOwner;
  const handle = owner._handle;
  if (handle === undefined || handle === null) {
    const connection = new NodeConnection(accepted);
    accepted.on("data", (chunk: Buffer) => connection.onReceive(chunk));
    return connection;
  }
  owner._handle = null;
  return connectionOver(handle, buffer, undefined);
}

/**
 * Takes connections from the listening handle itself, so that one socket is made for each instead of two. What the kernel
 * is told of a listening socket its connections inherit: five system calls less for each. False where the runtime has no such
 * handle.
 */
function acceptFromHandle(server: Server, onHandle: (accepted: unknown) => void): boolean {
  const handle = (server as unknown as HandleOwner)._handle as Partial<ListeningHandle> | null;
  if (typeof handle?.onconnection !== "function") return false;
  handle.setNoDelay?.(true);
  handle.setKeepAlive?.(true, keepAliveSeconds);
  handle.onconnection = (status, accepted) => {
    // Running out of descriptors shows here; the listener goes on when some are free again.
    if (status === 0 && accepted !== undefined) onHandle(accepted);
  };
  return true;
}

function tune(socket: Socket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveSeconds * 1000);
}

class NodeListener implements Listener {
  readonly #server: Server;
  readonly address: string;
  readonly port: number;

  constructor(server: Server) {
    this.#server = server;
    const bound = server.address() as AddressInfo;
    this.address = bound.address;
    this.port = bound.port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      // `close` waits for open connections, which belong to their sessions: the listening socket is gone at once.
      resolve();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export class NodeNetwork implements Network {
  readonly #receiveBuffer = Buffer.allocUnsafeSlow(receiveBufferSize);
  readonly #calls: SystemCalls | undefined;

  /** With `calls`, connections that come in can be lent to other threads. */
  constructor(calls?: SystemCalls) {
    this.#calls = calls;
  }

  listen(
    options: ListenOptions,
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    return new Promise((resolve, reject) => {
      // Used by runtimes whose handles cannot be reached.
      const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (accepted) => {
        tune(accepted);
        onConnection(connectionOf(accepted, this.#receiveBuffer));
      });
      server.once("error", reject);
      const { address: host, port, backlog } = options;
      // "::" is every IPv6 address and no IPv4 one, so that 0.0.0.0 can be listened on beside it.
      server.listen({ host, port, backlog, ipv6Only: true }, () => {
        server.off("error", reject);
        // Running out of descriptors shows here; the listener goes on when some are free again.
        server.on("error", ignoreChunk);
        acceptFromHandle(server, (accepted) => {
          onConnection(connectionOver(accepted, this.#receiveBuffer, this.#calls));
        });
        resolve(new NodeListener(server));
      });
    });
  }

  connect(options: ConnectOptions, signal?: AbortSignal): Promise<Connection> {
    const target = {
      host: options.address,
      port: options.port,
      ...(options.from === undefined ? {} : { localAddress: options.from }),
    };
    const name = `${options.address}:${options.port}`;
    return this.#connect(target, { name, timeoutMs: options.timeoutMs, signal });
  }

  listenPath(
    options: ListenPathOptions,
    onConnection: (connection: Connection) => void,
  ): Promise<PathListener> {
    return listenOnPath(options, (accepted) => {
      onConnection(connectionOf(accepted, this.#receiveBuffer));
    });
  }

  /** On a listening Unix socket that systemd has opened for this process. */
  listenInherited(
    descriptor: number,
    onConnection: (connection: Connection) => void,
  ): Promise<PathListener> {
    return listenOnDescriptor(descriptor, (accepted) => {
      onConnection(connectionOf(accepted, this.#receiveBuffer));
    });
  }

  connectPath(options: ConnectPathOptions, signal?: AbortSignal): Promise<Connection> {
    const { path, timeoutMs } = options;
    return this.#connect({ path }, { name: path, timeoutMs, signal });
  }

  #connect(target: SocketConnectOpts, how: ConnectLimits): Promise<Connection> {
    return new Promise((resolve, reject) => {
      if (how.signal?.aborted === true) {
        reject(new Error("connecting was abandoned"));
        return;
      }
      const receiver: Receiver = { connection: undefined };
      const socket = newSocket({ onread: receiveInto(this.#receiveBuffer, receiver) });
      const fail = (error: Error): void => {
        clearTimeout(timer);
        how.signal?.removeEventListener("abort", onAbort);
        socket.destroy();
        reject(error);
      };
      const onAbort = (): void => fail(new Error("connecting was abandoned"));
      const timer = setTimeout(() => fail(timeoutError(how)), Math.max(1, how.timeoutMs));
      how.signal?.addEventListener("abort", onAbort, { once: true });
      socket.once("error", fail);
      socket.connect(target, () => {
        clearTimeout(timer);
        how.signal?.removeEventListener("abort", onAbort);
        socket.off("error", fail);
        tune(socket);
        receiver.connection = new NodeConnection(socket);
        resolve(receiver.connection);
      });
    });
  }

  async resolve(name: string): Promise<readonly string[]> {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => address);
  }

  addresses(): NetworkAddress[] {
    const found: NetworkAddress[] = [];
    for (const [interfaceName, entries] of Object.entries(networkInterfaces())) {
      for (const entry of entries ?? []) {
        found.push({
          interfaceName,
          address: entry.address,
          prefixLength: Number(entry.cidr?.split("/")[1] ?? (entry.family === "IPv4" ? 32 : 128)),
          family: entry.family === "IPv4" ? 4 : 6,
          internal: entry.internal,
        });
      }
    }
    return found;
  }
}

interface ConnectLimits {
  /** Of the other end, for messages. */
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

function timeoutError(how: ConnectLimits): Error {
  const error = new Error(`no answer from ${how.name} within ${how.timeoutMs} ms`);
  return Object.assign(error, { code: "ETIMEDOUT" });
}
