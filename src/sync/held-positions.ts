/**
 * Up to which position this storage holds the files of each source, as the sources tell it (`protocol/peer/replication.ts`). What was told
 * once stays true: nobody unlearns files, except by losing a store path, and then everything is forgotten. Main thread.
 */
import type { StorageId } from "#model/storage-id.ts";
import { unknownGaps } from "#protocol/peer/replication.ts";

export interface HeldPosition {
  /** Every file of the source with a name time below this is here, or was deleted; but for `gaps` of them. */
  readonly heldUntil: number;
  readonly gaps: number;
}

/** Where they are kept. */
export interface HeldState {
  loadHeld(): ReadonlyMap<StorageId, HeldPosition>;
  saveHeld(held: ReadonlyMap<StorageId, HeldPosition>): void;
}

/** More than a group can have, for those that left. */
export const maxHeldSources = 64;

export class HeldPositions {
  readonly #state: HeldState;
  #held: Map<StorageId, HeldPosition>;
  #changed = false;
  #suspended: string | undefined;
  #doubted: string | undefined;
  /** Whether the store paths that are served are known to have their files, asked each time: one may have been opened a moment ago. */
  unknown: () => string | undefined = () => undefined;

  constructor(state: HeldState) {
    this.#state = state;
    this.#held = new Map(state.loadHeld());
  }

  /** Nothing while files may be missing that were here before. */
  of(source: StorageId): HeldPosition | undefined {
    return this.suspended === undefined ? this.#held.get(source) : undefined;
  }

  /** Sources and positions, for trackers: what is among the gaps is fetched when it is asked for. */
  entries(): readonly { readonly id: StorageId; readonly until: number }[] {
    return this.suspended === undefined ? this.told() : [];
  }

  /** What sources have told, also while it is in doubt. */
  told(): readonly { readonly id: StorageId; readonly until: number }[] {
    return [...this.#held].map(([id, { heldUntil: until }]) => ({ id, until }));
  }

  /** The same without those that have gaps: what a sender need not send again. */
  trusted(): readonly { readonly id: StorageId; readonly until: number }[] {
    return this.entries().filter(({ id }) => this.#held.get(id)?.gaps === 0);
  }

  /** Up to where files are compared: those without known gaps, of what was told, also while it is in doubt. */
  compared(): readonly { readonly id: StorageId; readonly until: number }[] {
    const isWhole = (gaps: number | undefined): boolean => gaps === 0 || gaps === unknownGaps;
    return this.told().filter(({ id }) => isWhole(this.#held.get(id)?.gaps));
  }

  /** Why nothing is known just now, in words. */
  get suspended(): string | undefined {
    return this.#suspended ?? this.#doubted ?? this.unknown();
  }

  /** A source tells. Messages of several connections may overtake each other: the farther one counts. */
  learn(source: StorageId, told: HeldPosition): void {
    if (this.#suspended !== undefined || told.heldUntil === 0) return;
    const known = this.#held.get(source);
    if (known === undefined) {
      if (this.#held.size >= maxHeldSources) return;
    } else {
      if (told.heldUntil < known.heldUntil) return;
      if (told.heldUntil === known.heldUntil && told.gaps <= known.gaps) return;
    }
    this.#held.set(source, { heldUntil: told.heldUntil, gaps: told.gaps });
    this.#changed = true;
  }

  /** The source's own clock is behind what it told once: it is another one by that name, or has begun anew. */
  compareClock(source: StorageId, clock: number): void {
    const known = this.#held.get(source);
    if (known !== undefined && clock < known.heldUntil) this.forget(source);
  }

  forget(source: StorageId): void {
    if (this.#held.delete(source)) this.#changed = true;
  }

  rename(from: StorageId, to: StorageId): void {
    const known = this.#held.get(from);
    if (known === undefined) return;
    this.#held.delete(from);
    this.#held.set(to, known);
    this.#changed = true;
  }

  /** A store path was lost: nothing that was told is true any more, and nothing that is told counts until `resume`. */
  suspend(why: string): void {
    if (this.#held.size > 0) this.#changed = true;
    this.#held = new Map();
    this.#suspended = why;
    this.save();
  }

  /** Everything that was lost is here again: what is told from now on counts. */
  resume(): void {
    this.#suspended = undefined;
  }

  /**
   * Some of what is here may be lost: nothing is told on, while sources go on telling, until that is called with undefined. Of what they tell
   * a comparison makes it true again.
   */
  doubt(why: string | undefined): void {
    this.#doubted = why;
  }

  /** Writes what changed; called about once a second. An old state is true as well. */
  save(): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.#state.saveHeld(this.#held);
  }
}
