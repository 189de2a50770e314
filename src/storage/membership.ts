/**
 * What a storage must remember of its membership across restarts: when it first joined, whether its first sync was
 * settled, and with whom (protocol §5.1, `.data_init_flag`). Saved at once when it changes. Main thread.
 */
import type { StorageId } from "#model/storage-id.ts";

export interface MembershipFacts {
  /** Unix seconds of the first start; 0 before it. */
  readonly joinTime: number;
  readonly syncSettled: boolean;
  /** Who fills this storage, while it is new. */
  readonly syncSource: StorageId | undefined;
  /** Up to which time the source sends what others had stored. */
  readonly syncUntil: number;
}

export const newMembership: MembershipFacts = {
  joinTime: 0,
  syncSettled: false,
  syncSource: undefined,
  syncUntil: 0,
};

/** Where the facts are kept. */
export interface StorageState {
  loadMembership(): MembershipFacts | undefined;
  saveMembership(facts: MembershipFacts): void;
  loadCounts(): Readonly<Record<string, { readonly total: number; readonly success: number }>>;
  saveCounts(
    counts: Readonly<Record<string, { readonly total: number; readonly success: number }>>,
  ): void;
}

export class Membership {
  readonly #state: StorageState;
  #facts: MembershipFacts;
  #asking: Promise<void> | undefined;

  constructor(state: StorageState, nowSeconds: number) {
    this.#state = state;
    this.#facts = state.loadMembership() ?? newMembership;
    if (this.#facts.joinTime === 0) this.#save({ ...this.#facts, joinTime: nowSeconds });
  }

  get facts(): MembershipFacts {
    return this.#facts;
  }

  /**
   * Asks one tracker who fills us, while nobody has answered that; whoever comes meanwhile waits for the answer. A failed
   * question is asked again by the next one.
   */
  async settleOnce(
    ask: () => Promise<{ readonly source: StorageId; readonly until: number } | undefined>,
  ): Promise<void> {
    if (this.#facts.syncSettled) return;
    this.#asking ??= ask()
      .then((answer) => this.settle(answer?.source, answer?.until ?? 0))
      .finally(() => {
        this.#asking = undefined;
      });
    await this.#asking;
  }

  /** A tracker has decided who fills us; undefined: nobody needs to. */
  settle(source: StorageId | undefined, until: number): void {
    this.#save({ ...this.#facts, syncSettled: true, syncSource: source, syncUntil: until });
  }

  /** Who was to fill us is gone before it did: the question is open again. */
  reopen(): void {
    this.#save({ ...this.#facts, syncSettled: false, syncSource: undefined, syncUntil: 0 });
  }

  #save(facts: MembershipFacts): void {
    this.#facts = facts;
    this.#state.saveMembership(facts);
  }
}
