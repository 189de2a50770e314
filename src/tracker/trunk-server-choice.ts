/** Which storage of a group becomes its trunk server, and when it has been silent for too long (protocol §4.8). Pure. */

export interface TrunkCandidate<Storage> {
  readonly storage: Storage;
  /** Bytes of its trunk binlog, or undefined where it did not answer. */
  readonly binlogSize: number | undefined;
}

/**
 * `candidates` begin with the group's store server, which must have answered. Another one is taken where it knows more: the
 * one with the longest trunk binlog.
 */
export function chooseTrunkServer<Storage>(
  candidates: readonly TrunkCandidate<Storage>[],
): Storage | undefined {
  const [first, ...others] = candidates;
  if (first === undefined || first.binlogSize === undefined) return undefined;
  let best = { storage: first.storage, size: first.binlogSize };
  for (const { storage, binlogSize } of others) {
    if (binlogSize !== undefined && binlogSize > best.size) best = { storage, size: binlogSize };
  }
  return best.storage;
}

/** How often the check interval fits into the silence that a trunk server is granted. */
export function grantedIntervals(
  startedIntervalsAgo: number,
  trunk: { readonly initCheckOccupying: boolean; readonly initReloadFromBinlog: boolean },
): number {
  if (startedIntervalsAgo >= 10) return 2;
  const base = trunk.initCheckOccupying ? 5 : 3;
  return trunk.initReloadFromBinlog ? base * 2 : base;
}
