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
import { listenOnPath } from "#platform/node/node-path-listener.ts";

/** Large enough that a 256 KiB block fills in two reads, small enough to stay in the cache. */
const receiveBufferSize = 128 * 1024;

const ignoreChunk = (): void => {};

class NodeConnection implements Connection {
  onReceive: (chunk: Uint8Array) => void = ignoreChunk;
  onEnd: () => void = ignoreChunk;
  onClose: (error: Error | undefined) => void = ignoreChunk;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly #socket: Socket;
  #error: Error | undefined;
  #closed = false;

  constructor(socket: Socket, received: ReceiveHook) {
    this.#socket = socket;
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = plainAddress(socket.localAddress);
    this.localPort = socket.localPort ?? 0;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    received.target = (chunk) => this.onReceive(chunk);
    socket.on("end", () => this.onEnd());
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => {
      this.#closed = true;
      this.onClose(this.#error);
    });
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
    if (done === undefined) this.#socket.write(bytes);
    else this.#socket.write(bytes, () => done());
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
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
    this.#socket.destroy();
  }
}

/** Receives what a socket reads, before and after the connection object exists. */
interface ReceiveHook {
  target: (chunk: Uint8Array) => void;
}

/** `::ffff:10.0.0.1` is 10.0.0.1. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

interface HandleOwner {
  _handle: unknown;
}

/** Takes the handle of an accepted socket over into one that reads into `buffer`. */
function withSharedBuffer(accepted: Socket, buffer: Uint8Array, hook: ReceiveHook): Socket {
  const owner = accepted as unknown as HandleOwner;
  const handle = owner._handle;
  if (handle === undefined || handle === null) {
    accepted.on("data", (chunk: Buffer) => hook.target(chunk));
    return accepted;
  }
  owner._handle = null;
  const options = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer,
      callback: (count: number, filled: Uint8Array): boolean => {
        hook.target(filled.subarray(0, count));
        return true;
      },
    },
  };
  const socket = new Socket(options as unknown as ConstructorParameters<typeof Socket>[0]);
  socket.resume();
  return socket;
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

  listen(
    options: ListenOptions,
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (accepted) => {
        const hook: ReceiveHook = { target: ignoreChunk };
        const socket = withSharedBuffer(accepted, this.#receiveBuffer, hook);
        onConnection(new NodeConnection(socket, hook));
      });
      server.once("error", reject);
      const { address: host, port, backlog } = options;
      // "::" is every IPv6 address and no IPv4 one, so that 0.0.0.0 can be listened on beside it.
      server.listen({ host, port, backlog, ipv6Only: true }, () => {
        server.off("error", reject);
        // Running out of descriptors shows here; the listener goes on when some are free again.
        server.on("error", ignoreChunk);
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
      const hook: ReceiveHook = { target: ignoreChunk };
      const socket = withSharedBuffer(accepted, this.#receiveBuffer, hook);
      onConnection(new NodeConnection(socket, hook));
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
      const hook: ReceiveHook = { target: ignoreChunk };
      const socket = new Socket({
        onread: {
          buffer: this.#receiveBuffer,
          callback: (count: number, filled: Uint8Array): boolean => {
            hook.target(filled.subarray(0, count));
            return true;
          },
        },
      } as unknown as ConstructorParameters<typeof Socket>[0]);
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
        resolve(new NodeConnection(socket, hook));
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
