/** Stream sockets as the code sees them. Simulation passes another implementation in. */
import type { SocketLease } from "#platform/lent-sockets.ts";

/**
 * One connection. Bytes given to `onReceive` are valid only during the call. Bytes given to `write` must stay as they are
 * until `done` was called, which also happens when the connection breaks.
 */
export interface Connection {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Must be set before the current turn of the event loop ends. */
  onReceive: (chunk: Uint8Array) => void;
  /** The other side will send no more. */
  onEnd: () => void;
  /** Called once, whatever ended it; `error` is undefined for an orderly end. */
  onClose: (error: Error | undefined) => void;
  /** Sends; `done` is called when the kernel has taken the bytes, at once where it took them directly. */
  write(bytes: Uint8Array, done?: () => void): void;
  /** Groups the writes that follow, up to `uncork`, into as few segments as possible. */
  cork(): void;
  uncork(): void;
  /**
   * Has the kernel acknowledge what came now, where it can: a sender that writes what belongs together apart, without TCP_NODELAY, waits for
   * it, and kernels take 40 ms.
   */
  acknowledge?(): void;
  pauseReceiving(): void;
  resumeReceiving(): void;
  /** Sends what is left, then closes. */
  end(): void;
  destroy(): void;
  readonly closed: boolean;
  /** The socket can be lent at times. */
  readonly canLend?: boolean;
  /** For another thread to write to; undefined where that is not possible now. Nothing else is written meanwhile. */
  lend?(): SocketLease | undefined;
  /** Bytes written that the kernel has not taken yet. */
  readonly unsentBytes: number;
}

export interface Listener extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Takes no new connections; those that are open stay. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly address: string;
  readonly port: number;
  readonly backlog: number;
}

export interface ConnectOptions {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** Local address to bind to, where it matters. */
  readonly from?: string;
}

export interface ListenPathOptions {
  /** Of the Unix socket; a stale one that nobody listens on is replaced. */
  readonly path: string;
  readonly backlog: number;
  /** Permission bits of the socket file, such as 0o660. */
  readonly mode: number;
}

export interface PathListener extends AsyncDisposable {
  readonly path: string;
  /** Takes no new connections and removes the socket file. */
  close(): Promise<void>;
}

export interface ConnectPathOptions {
  readonly path: string;
  readonly timeoutMs: number;
}

export interface NetworkAddress {
  readonly interfaceName: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 4 | 6;
  readonly internal: boolean;
}

export interface Network {
  /** Rejects with the system's error where the address is taken or forbidden. */
  listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener>;
  /** Rejects on refusal, timeout or abort. */
  connect(options: ConnectOptions, signal?: AbortSignal): Promise<Connection>;
  /** A Unix socket. Rejects where another process listens on it, or the file cannot be made. */
  listenPath(
    options: ListenPathOptions,
    onConnection: (connection: Connection) => void,
  ): Promise<PathListener>;
  /** Rejects on absence, refusal, timeout or abort. */
  connectPath(options: ConnectPathOptions, signal?: AbortSignal): Promise<Connection>;
  addresses(): NetworkAddress[];
  /** All addresses of a host name. Rejects where it has none, or nobody can be asked. */
  resolve(name: string): Promise<readonly string[]>;
}
