/**
 * A peer who may be answered by another thread: whoever has the payload writes it to the peer's socket itself, header included, and tells
 * how much has gone out; the session sends the rest. Main thread.
 */
import type { SocketLease } from "#platform/lent-sockets.ts";
import type { Connection } from "#platform/network.ts";
import { headerSize, replyCommand, writeHeader } from "#protocol/header.ts";

export interface DirectPeer {
  /** False where the peer can only be answered in the ordinary way. */
  readonly isDirect: boolean;
  /** Of the header that goes in front of a payload. */
  readonly headerBytes: number;
  /** Puts the header of a payload of `length` bytes into `target` at `at`. */
  writeHeader(target: Uint8Array, at: number, length: number): void;
  /** The socket, for the exchange under way; undefined where it cannot be had, or something is still on its way to the peer. */
  lend(): SocketLease | undefined;
}

/** The peer of a session that speaks frames. */
export class FramePeer implements DirectPeer {
  readonly headerBytes = headerSize;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get isDirect(): boolean {
    return this.#connection.canLend === true;
  }

  writeHeader(target: Uint8Array, at: number, length: number): void {
    writeHeader(target, at, { length, command: replyCommand, status: 0 });
  }

  lend(): SocketLease | undefined {
    return this.#connection.lend?.();
  }
}
