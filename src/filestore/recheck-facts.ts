/** How far a store path's worker is with looking at files again that may have been lost, as it tells the main thread. */
import type { RecheckReason } from "#filestore/formats/recheck-note.ts";

export interface RecheckFacts {
  readonly why: RecheckReason;
  /** `done`: what was lost is known, and to be got back from peers. `settled`: what is lost now nobody has brought back. */
  readonly state: "running" | "done" | "settled";
  readonly percent: number;
  /** Files that were found to be missing, or other than their names say; in the end those that still are. */
  readonly lost: number;
  /** Names of some of them, found since the start. */
  readonly examples: readonly string[];
}
