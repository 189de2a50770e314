/**
 * The further descriptor of one connection's socket. It is made when it is lent for the first time and closed when the connection is gone
 * and nobody has it: a number that was closed and given to something else must never be written to. Main thread.
 */
import { assert } from "#base/assert.ts";
import type { SocketLease } from "#platform/lent-sockets.ts";
import type { SystemCalls } from "#platform/node/node-system-calls.ts";

const none = -1;

export class NodeLentSocket implements SocketLease {
  readonly #calls: SystemCalls;
  readonly #breakOff: () => void;
  #descriptor = none;
  #lent = 0;
  #gone = false;

  /** `breakOff` ends the connection at once. */
  constructor(calls: SystemCalls, breakOff: () => void) {
    this.#calls = calls;
    this.#breakOff = breakOff;
  }

  get descriptor(): number {
    return this.#descriptor;
  }

  /** False where no descriptor is to be had. */
  lend(own: number): boolean {
    if (this.#gone || own < 0) return false;
    if (this.#descriptor === none) this.#descriptor = this.#calls.duplicate(own);
    if (this.#descriptor === none) return false;
    this.#lent += 1;
    return true;
  }

  giveBack(): void {
    assert(this.#lent > 0, "a socket is given back once for each time it is lent");
    this.#lent -= 1;
    if (this.#gone && this.#lent === 0) this.#close();
  }

  breakOff(): void {
    this.#breakOff();
  }

  /** The connection ends. While somebody has the descriptor, closing the socket's own one would not tell the peer. */
  end(): void {
    if (this.#gone) return;
    this.#gone = true;
    if (this.#lent === 0) this.#close();
    else this.#calls.shutDown(this.#descriptor);
  }

  #close(): void {
    if (this.#descriptor !== none) this.#calls.close(this.#descriptor);
    this.#descriptor = none;
  }
}
