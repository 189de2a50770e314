/**
 * The comparisons that this storage owes the other members: after a store path was rebuilt, whose peer may have lacked what another one has,
 * and after this storage was filled. What only the log of a lost disk would have told, above all deletions, nobody else finds before the next
 * comparison of all files. A note on each store path outlasts restarts, and a member that is away is compared with when it is back. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import type { ReplicaStore } from "#filestore/replica-store.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { LossReason } from "#sync/anti-entropy/anti-entropy.ts";

/** In `data/sync` of a store path; what is in it says why, for people. */
export const comparisonMark = "cairn-comparison.mark";

/** A member that may be compared with: one of ours, as far as is known. */
export interface ComparableMember {
  readonly id: StorageId;
  /** It can be asked now. */
  readonly isAvailable: boolean;
}

export interface OwedComparisonsParts {
  readonly log: Log;
  readonly store: Pick<ReplicaStore, "readMark" | "writeMark" | "removeMark">;
  /** All members of ours but this storage; undefined while no tracker has told of any. */
  readonly members: () => readonly ComparableMember[] | undefined;
  /** Compares with all that can be asked, until nothing is left to be mended; then calls `mended` with those that were compared with. */
  readonly mend: (reason: LossReason, mended: (compared: readonly StorageId[]) => void) => void;
  /** One more round soon: somebody is back. */
  readonly request: (reason: LossReason) => void;
}

export class OwedComparisons {
  readonly #parts: OwedComparisonsParts;
  /** Store paths with a note, and why. */
  readonly #paths = new Map<number, LossReason>();
  /** Members that were compared with since the last loss. */
  readonly #done = new Set<StorageId>();
  #isDoubtful = false;
  /** Series of rounds are under way for this loss. */
  #mending: number | undefined;
  #losses = 0;
  #available = "";
  #settling = false;

  constructor(parts: OwedComparisonsParts) {
    this.#parts = parts;
  }

  /** Why something that was here may be missing; undefined once all that could be asked were compared with. */
  get doubt(): string | undefined {
    const rebuilt = this.#rebuilt;
    if (!this.#isDoubtful || rebuilt.length === 0) return undefined;
    return `store path ${rebuilt.join(", ")} was rebuilt, and is being compared`;
  }

  /** True while `id` may lack what was on a disk that was lost here. */
  isOwed(id: StorageId): boolean {
    return this.#rebuilt.length > 0 && !this.#done.has(id);
  }

  get #rebuilt(): readonly number[] {
    return [...this.#paths].flatMap(([index, why]) => (why === "recovered" ? [index] : []));
  }

  /** The note of a store path from before; undefined where there is none. */
  async noted(index: number): Promise<LossReason | undefined> {
    const text = await this.#parts.store.readMark(index, comparisonMark);
    if (text === undefined) return undefined;
    return text.startsWith("filled") ? "filled" : "recovered";
  }

  /** Before what makes the comparison necessary: from now on it outlasts a restart. */
  async note(index: number, reason: LossReason): Promise<void> {
    await this.#parts.store.writeMark(index, comparisonMark, `${reason}\n`);
  }

  /** This storage was filled. Rejects where that could not be noted. */
  async filled(index: number): Promise<void> {
    try {
      await this.note(index, "filled");
    } finally {
      this.owe(index, "filled");
    }
  }

  /** The store path was rebuilt, or filled, and is whole as far as is known. */
  owe(index: number, reason: LossReason): void {
    this.#paths.set(index, reason);
    this.#done.clear();
    this.#losses += 1;
    this.#isDoubtful = true;
    this.look();
  }

  /** To be called about once a second. */
  look(): void {
    if (this.#paths.size === 0) return;
    const members = this.#parts.members();
    if (members === undefined) return;
    const owed = members.filter(({ id }) => !this.#done.has(id));
    if (owed.length === 0) {
      this.#settle();
      return;
    }
    const available = owed.filter(({ isAvailable }) => isAvailable).map(({ id }) => id);
    const before = this.#available;
    this.#available = available.join(" ");
    if (available.length === 0) return;
    if (this.#mending !== this.#losses) this.#mend();
    else if (available.some((id) => !before.split(" ").includes(id))) {
      this.#parts.request(this.#reason);
    }
  }

  get #reason(): LossReason {
    const [reason = "recovered"] = this.#paths.values();
    return reason;
  }

  #mend(): void {
    const loss = this.#losses;
    this.#mending = loss;
    this.#parts.mend(this.#reason, (compared) => {
      if (loss !== this.#losses) return;
      this.#mending = undefined;
      this.#isDoubtful = false;
      for (const id of compared) this.#done.add(id);
      this.look();
    });
  }

  #settle(): void {
    this.#isDoubtful = false;
    if (this.#settling) return;
    this.#settling = true;
    const { store, log } = this.#parts;
    const paths = [...this.#paths.keys()];
    const loss = this.#losses;
    const settled = Promise.all(paths.map((index) => store.removeMark(index, comparisonMark)))
      .then(() => {
        if (loss === this.#losses) this.#paths.clear();
      })
      .catch((error: unknown) => {
        log.notice("comparison-not-settled", { why: describeError(error) });
      })
      .finally(() => {
        this.#settling = false;
      });
    ignore(settled, log, "it was told");
  }
}
