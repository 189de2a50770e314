/**
 * Requests of a store path that were given up before the worker answered them: nobody waits for them any more, their blocks stay out
 * of use until the worker is done with them, and what they made after all is undone. Main thread.
 */
import type { BlockPool } from "#filestore/block-pool.ts";
import { type RingRecord, ringSlots } from "#filestore/ring.ts";
import { completion, completionFlag, makesFile, request } from "#filestore/worker-messages.ts";
import type { SocketLease } from "#platform/lent-sockets.ts";

/** Files that were made for requests which had been given up, and wait to be removed; more stay where they are. */
const maxOrphans = ringSlots;

/** What sets free what a request that was given up took after all. */
export interface SettingFree {
  readonly kind: number;
  readonly a: number;
}

export class GivenUpRequests {
  readonly #blocks: BlockPool;
  readonly #records = new Map<number, RingRecord>();
  readonly #leases = new Map<number, SocketLease>();
  /** Names of files that nobody was told of. */
  #orphans: string[] = [];
  #count = 0;

  constructor(blocks: BlockPool) {
    this.#blocks = blocks;
  }

  /** Those that the worker has not answered. */
  get size(): number {
    return this.#records.size;
  }

  /** How many somebody had waited for, since the start. */
  get count(): number {
    return this.#count;
  }

  /** Somebody waits for it no longer. The worker has it where `sent`, and writes to the socket of `lease` until it answers. */
  add(record: RingRecord, sent: boolean, lease?: SocketLease): void {
    this.#count += 1;
    if (lease !== undefined) this.#leases.set(record.id, lease);
    if (!sent) return;
    this.#records.set(record.id, record);
    if (record.block >= 0) this.#blocks.detain(record.block);
  }

  /** Nobody ever waited for it. It carries no block. */
  addUnheard(record: RingRecord): void {
    this.#records.set(record.id, record);
  }

  /** The worker answered one of them, or something else. Returns what is to be sent in turn. */
  answered(answer: RingRecord): SettingFree | undefined {
    const given = this.#records.get(answer.id);
    if (given === undefined) return undefined;
    this.#records.delete(answer.id);
    this.#leases.get(answer.id)?.giveBack();
    this.#leases.delete(answer.id);
    if (given.block >= 0) this.#blocks.release(given.block);
    if (answer.kind !== completion.done) return undefined;
    if ((answer.flags & completionFlag.held) !== 0) return { kind: request.abort, a: answer.c };
    // Its client was told that it failed: nobody will ever ask for it.
    if (makesFile(given) && answer.text !== "" && this.#orphans.length < maxOrphans) {
      this.#orphans.push(answer.text);
    }
    const isOpen = given.kind === request.read && answer.c !== 0;
    return isOpen ? { kind: request.readEnd, a: answer.c } : undefined;
  }

  /** Files to be removed; the caller's business from now on. */
  takeOrphans(): readonly string[] {
    const orphans = this.#orphans;
    if (orphans.length > 0) this.#orphans = [];
    return orphans;
  }

  /** The worker's thread has ended: nobody writes into their blocks any more. */
  forgetAll(): void {
    for (const { block } of this.#records.values()) if (block >= 0) this.#blocks.release(block);
    this.#records.clear();
    for (const lease of this.#leases.values()) lease.giveBack();
    this.#leases.clear();
  }
}
