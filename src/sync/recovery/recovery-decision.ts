/**
 * Whether a store path that was just opened has lost its files and is to be rebuilt. Pure. Each path carries an id of its own; the state
 * database remembers which id each path of this node had, and whether it was a mount of its own.
 */

export interface OpenedPath {
  /** The id that the path carries now. */
  readonly id: string;
  /** It carried none before this start. */
  readonly isNew: boolean;
  /** It had files, or the tree of a C storage. */
  readonly hadFiles: boolean;
  /** A recovery of it was begun and not ended. */
  readonly recovering: boolean;
}

export type RecoveryDecision =
  | { readonly decision: "serve" }
  | { readonly decision: "recover"; readonly why: string };

const serve: RecoveryDecision = { decision: "serve" };

/**
 * `knownId`: what this path carried before, undefined where this node had no such path. `settled`: the node has what its group had when
 * it came; a node that is new is filled by synchronisation instead, paths and all.
 */
export function decideRecovery(
  path: OpenedPath,
  node: { readonly knownId: string | undefined; readonly settled: boolean },
): RecoveryDecision {
  if (path.recovering) return recover("its recovery was interrupted");
  if (!node.settled || path.hadFiles || !path.isNew) return serve;
  if (node.knownId === undefined) return recover("it is new in a node that has files");
  return recover("it is empty, where this node had files");
}

function recover(why: string): RecoveryDecision {
  return { decision: "recover", why };
}
