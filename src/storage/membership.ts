/**
 * What a storage knows and remembers of its membership (protocol §5.1, `.data_init_flag`): the owner of the status machine's state,
 * which is saved at once where it must outlast a restart. Each change of the status is logged here. Main thread.
 */
import type { Log } from "#base/log.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type StorageStatus, storageStatus, storageStatusCaption } from "#model/storage-status.ts";
import { type Clock, delay, nowSeconds } from "#platform/clock.ts";
import type { SavedPeer } from "#storage/peer-directory.ts";
import {
  type OwnEffect,
  type OwnInput,
  type OwnState,
  ownTransition,
} from "#storage/storage-status-machine.ts";
import type { HeldState } from "#sync/held-positions.ts";

export interface MembershipFacts {
  /** Unix seconds of the first start; 0 before it. */
  readonly joinTime: number;
  readonly syncSettled: boolean;
  /** Who fills this storage, while it is new. */
  readonly syncSource: StorageId | undefined;
  /** Up to which time the source sends what others had stored. */
  readonly syncUntil: number;
  /** It has what the group had when it came. */
  readonly filled: boolean;
  /** Under which trackers saw it, the newest first. */
  readonly ownAddresses: readonly string[];
}

export const newMembership: MembershipFacts = {
  joinTime: 0,
  syncSettled: false,
  syncSource: undefined,
  syncUntil: 0,
  filled: false,
  ownAddresses: [],
};

/** Where the facts are kept. */
export interface StorageState extends HeldState {
  loadMembership(): MembershipFacts | undefined;
  saveMembership(facts: MembershipFacts): void;
  loadPeers(): readonly SavedPeer[];
  savePeers(peers: readonly SavedPeer[]): void;
  loadCounts(): Readonly<Record<string, { readonly total: number; readonly success: number }>>;
  saveCounts(
    counts: Readonly<Record<string, { readonly total: number; readonly success: number }>>,
  ): void;
}

const maxOwnAddresses = 8;
/** After this time another tracker is asked as well who fills us. */
const askAnotherAfterMs = 3000;

export class Membership {
  readonly #state: Pick<StorageState, "saveMembership">;
  readonly #clock: Clock;
  readonly #log: Log;
  #facts: MembershipFacts;
  #own: OwnState;
  #since: number;
  #asking: Promise<void> | undefined;
  /** All trackers are to be joined anew. */
  onRejoin: () => void = () => {};
  /** All trackers are to be told what we are. */
  onTell: (status: StorageStatus) => void = () => {};
  /** Somebody has filled us. */
  onFilled: () => void = () => {};

  constructor(
    state: Pick<StorageState, "loadMembership" | "saveMembership">,
    parts: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#state = state;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#facts = state.loadMembership() ?? newMembership;
    const { syncSettled: settled, syncSource: source, syncUntil: until, filled } = this.#facts;
    this.#own = { status: storageStatus.none, settled, source, until, filled };
    this.#since = nowSeconds(this.#clock);
    if (this.#facts.joinTime === 0) this.#save({ joinTime: nowSeconds(this.#clock) });
  }

  get facts(): MembershipFacts {
    return this.#facts;
  }

  get own(): OwnState {
    return this.#own;
  }

  /** Unix seconds: since when the status is what it is. */
  get since(): number {
    return this.#since;
  }

  /** The address under which a tracker saw us at the last change; undefined before the first. */
  get lastAddress(): string | undefined {
    return this.#facts.ownAddresses[0];
  }

  /** What the caller has to do: tell the leading tracker what we are. Everything else is done here. */
  apply(input: OwnInput): { readonly correctTracker: boolean } {
    const before = this.#own;
    const { state, effects } = ownTransition(before, input);
    this.#own = state;
    if (state.status !== before.status) {
      this.#since = nowSeconds(this.#clock);
      const [from, to] = [before.status, state.status].map(storageStatusCaption);
      this.#log.notice("own-status", { from, to, why: input.name });
    }
    for (const effect of effects) this.#perform(effect);
    if (state.filled && !before.filled && state.source !== undefined) this.onFilled();
    return { correctTracker: effects.some(({ name }) => name === "correct-tracker") };
  }

  /**
   * Asks one tracker who fills us, while nobody has answered that; whoever comes meanwhile waits for the answer, but not for long: a
   * tracker that never answers must not keep us out. A failed question is asked again by the next one.
   */
  async settleOnce(
    ask: () => Promise<{ readonly source: StorageId; readonly until: number } | undefined>,
  ): Promise<void> {
    if (this.#own.settled) return;
    if (this.#asking !== undefined) {
      const other = this.#asking.then(() => true);
      const soon = await Promise.race([other, delay(this.#clock, askAnotherAfterMs)]);
      if (soon === true || this.#own.settled) return;
    }
    const asking = ask()
      .then((answer) => {
        const { source, until = 0 } = answer ?? { source: undefined };
        this.apply({ name: "source-decided", source, until });
      })
      .finally(() => {
        if (this.#asking === asking) this.#asking = undefined;
      });
    this.#asking = asking;
    await asking;
  }

  /** A tracker sees us at `address`. Returns the one that we had before, where it is another. */
  learnOwnAddress(address: string): string | undefined {
    const { ownAddresses } = this.#facts;
    const [last] = ownAddresses;
    if (last === address) return ownAddresses[1];
    const others = ownAddresses.filter((known) => known !== address);
    this.#save({ ownAddresses: [address, ...others].slice(0, maxOwnAddresses) });
    return last;
  }

  #perform(effect: OwnEffect): void {
    const { settled, source, until, filled, status } = this.#own;
    switch (effect.name) {
      case "save":
        this.#save({ syncSettled: settled, syncSource: source, syncUntil: until, filled });
        return;
      case "rejoin":
        this.onRejoin();
        return;
      case "tell-trackers":
        this.onTell(status);
        return;
      default:
        // The caller knows the tracker.
        return;
    }
  }

  #save(changed: Partial<MembershipFacts>): void {
    this.#facts = { ...this.#facts, ...changed };
    this.#state.saveMembership(this.#facts);
  }
}
