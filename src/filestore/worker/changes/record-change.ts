/** Nothing but a record, or not even that: what a peer's change turned out to be. Worker thread. */
import { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";

export interface Recording {
  readonly key: string;
  /** Whole lines, or none. */
  readonly lines: string;
  /** What to answer with. */
  readonly outcome: string;
  /** A name that is not to come back, and since when. */
  readonly removed?: { readonly name: string; readonly timestamp: number };
}

export class RecordChange extends StagedChange {
  readonly #store: StorePath;
  readonly #removed: Recording["removed"];

  constructor(store: StorePath, { key, lines, outcome, removed }: Recording) {
    super({ key, lines, doing: "record a peer's change", made: outcome });
    this.#store = store;
    this.#removed = removed;
  }

  apply(): void {}

  /** Never asked for: nothing in `apply` can fail. */
  amends(): string {
    return "";
  }

  override succeed(): void {
    const removed = this.#removed;
    if (removed !== undefined) this.#store.removed.note(removed.name, removed.timestamp);
    super.succeed();
  }
}
