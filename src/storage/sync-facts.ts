/**
 * What membership wants to know of replication, and tells it: the two know each other by this only. Replication implements it and sets
 * `GroupPart.sync`; before that, and in tests, there is nothing to tell.
 */
import type { StorageId } from "#model/storage-id.ts";

export interface SyncFacts {
  /**
   * For each source the highest timestamp, in its own Unix seconds, that came from it in sync commands since the start
   * (`last_sync_src_timestamp`, protocol §6.5); sources of which nothing came are left out.
   */
  received(): ReadonlyMap<StorageId, number>;
  /** Grows whenever `received` would give something else. */
  readonly receivedRevision: number;
  /** Positions in the sources' own order, see `protocol/peer/report-held.ts`; at most 64. */
  heldUntil(): readonly { readonly id: StorageId; readonly until: number }[];
  /** The least time that a file which is made here from now on has in its name. */
  nameClock(): number;
  /** A member without storage id goes on as `to`: marks and positions are to be renamed. Called again for the same is harmless. */
  peerMoved(from: StorageId, to: StorageId): void;
  /** A member was deleted: what is noted about it is to be put aside, since it may come back empty. */
  peerDeleted(id: StorageId): void;
  /** Changes that peers sent since the start. */
  readonly receivedChanges: number;
  /** How a fill goes on, in words, for people: "1,200 files so far, the last one 3 s ago"; empty where nothing is known. */
  fillProgress(): string;
}

export const noSyncFacts: SyncFacts = {
  received: () => new Map(),
  receivedRevision: 0,
  heldUntil: () => [],
  nameClock: () => 0,
  peerMoved: () => {},
  peerDeleted: () => {},
  receivedChanges: 0,
  fillProgress: () => "",
};
