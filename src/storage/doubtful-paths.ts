/**
 * Store paths whose files may have been lost and are looked at again by their workers: as long as that lasts this storage does not say what
 * it holds, and asks its peers for what it lacks, also for its own files. Then all files are compared with the peers', and only when
 * that has found nothing more the worker forgets about it. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import type { RecheckReason } from "#filestore/formats/recheck-note.ts";
import type { RecheckFacts } from "#filestore/recheck-facts.ts";

export interface DoubtfulPathsParts {
  readonly log: Log;
  readonly store: {
    /** Numbers of the store paths that are served. */
    readonly served: readonly number[];
    recheckOf(storePathIndex: number): RecheckFacts | undefined;
    settleRecheck(storePathIndex: number): Promise<void>;
  };
  /** `none`: nobody has these files as well, or only storages that cannot be compared with; `unknown`: no tracker has told yet. */
  readonly peers: () => "some" | "none" | "unknown";
  /** Compares with all peers; calls `mended` when nothing was left to be repaired. */
  readonly mend: (reason: RecheckReason, mended: () => void) => void;
  /** Why files that were here may be missing; undefined where none may be. */
  readonly onDoubt: (why: string | undefined) => void;
}

export class DoubtfulPaths {
  readonly #parts: DoubtfulPathsParts;
  /** Their comparison, or their end, is under way. */
  readonly #ending = new Set<number>();

  constructor(parts: DoubtfulPathsParts) {
    this.#parts = parts;
  }

  /** To be called about once a second, and at the start before anybody is served. */
  look(): void {
    const { store, onDoubt } = this.#parts;
    const doubtful = store.served.filter((index) => {
      const facts = store.recheckOf(index);
      return facts !== undefined && facts.state !== "settled";
    });
    const which = doubtful.join(", ");
    onDoubt(which === "" ? undefined : `files of store path ${which} may have been lost`);
    for (const index of doubtful) this.#lookAt(index, store.recheckOf(index));
  }

  #lookAt(index: number, facts: RecheckFacts | undefined): void {
    if (facts?.state !== "done") this.#ending.delete(index);
    if (facts?.state !== "done" || this.#ending.has(index)) return;
    const peers = this.#parts.peers();
    if (peers === "unknown") return;
    this.#ending.add(index);
    if (peers === "none") this.#settle(index);
    else this.#parts.mend(facts.why, () => this.#settle(index));
  }

  #settle(index: number): void {
    const { store, log } = this.#parts;
    const settled = store.settleRecheck(index).catch((error: unknown) => {
      this.#ending.delete(index);
      log.warn("recheck-not-settled", { storePath: index, why: describeError(error) });
    });
    ignore(settled, log, "its failures were told");
  }
}
