/**
 * Who may write to a socket that was lent with a block: the worker claims it before its first byte, the main thread takes it back where it
 * gives the request up; whoever is first has it. So a worker that comes back from a hung disk never writes into a connection which
 * others use by then. A word in front of each block. Any thread.
 */
import { blockStart } from "#filestore/block-pool.ts";
import type { SocketLease } from "#platform/lent-sockets.ts";

const lent = 0;
const claimed = 1;
const takenBack = 2;

export class DirectClaims {
  readonly #words: Int32Array;

  /** `blocks`: the memory of the pool. */
  constructor(blocks: SharedArrayBuffer) {
    this.#words = new Int32Array(blocks);
  }

  /** Main thread, before the request is sent. */
  lend(block: number): void {
    Atomics.store(this.#words, blockStart(block) >> 2, lent);
  }

  /** Worker: true where it may write, once for each time that the block came with a socket. */
  claim(block: number): boolean {
    return this.#win(block, claimed);
  }

  /**
   * Main thread: nobody waits for the answer any more. Where the worker may have begun to write, the connection ends, since nobody knows
   * how much went out; then the lease is returned, to be given back when the worker is done with it.
   */
  giveUp(lease: SocketLease, block: number): SocketLease | undefined {
    if (this.#win(block, takenBack)) {
      lease.giveBack();
      return undefined;
    }
    lease.breakOff();
    return lease;
  }

  #win(block: number, state: number): boolean {
    return Atomics.compareExchange(this.#words, blockStart(block) >> 2, lent, state) === lent;
  }
}
