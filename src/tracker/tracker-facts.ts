/** What the tracker knows of a session: the storage or the tracker at its other end, and what that was told. Main thread. */
import type { StorageId } from "#model/storage-id.ts";
import type { FrameSession } from "#net/frame-session.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import type { SystemFileHold } from "#tracker/system-file-hold.ts";

export interface TrackerFacts {
  /** Set by JOIN. */
  storage: StorageRecord | undefined;
  /** The address under which the joined storage knows this tracker. */
  trackerAddress: string | undefined;
  /** The joined storage said on this session that it is one of ours. */
  saidCairn: boolean;
  /** `Leadership.news` that this connection was told; −1 for none. */
  leaderTold: number;
  /** Peers that the storage takes for active although they are to be filled. */
  readonly contradicted: Set<StorageId>;
  /** Set by JOIN_LEADER: a tracker that follows us, as `address:port`. */
  follower: string | undefined;
  /** Sum of the trunk server versions that the follower was told; −1 for none. */
  trunkServersTold: number;
  /** What a follower read last of the groups, and the counters of trunk files in that. */
  groupsRead:
    | { readonly files: SystemFileHold; readonly fileIds: ReadonlyMap<string, number> }
    | undefined;
  /** The connection is closed. */
  ended: boolean;
  /** The system files that it copies. */
  hold: SystemFileHold | undefined;
}

export type TrackerSession = FrameSession<TrackerFacts>;

export function newTrackerFacts(): TrackerFacts {
  return {
    storage: undefined,
    trackerAddress: undefined,
    saidCairn: false,
    leaderTold: -1,
    contradicted: new Set(),
    follower: undefined,
    trunkServersTold: -1,
    groupsRead: undefined,
    ended: false,
    hold: undefined,
  };
}

/** The storage that has joined on this session; EACCES without (protocol §2.1). */
export function joinedStorage(session: TrackerSession): StorageRecord {
  const { storage } = session.facts;
  if (storage === undefined) throw new WireStatusError(wireStatus.accessDenied, "not joined");
  return storage;
}

export function notFound(what: string): WireStatusError {
  return new WireStatusError(wireStatus.notFound, what);
}

export function invalid(what: string): WireStatusError {
  return new WireStatusError(wireStatus.invalid, what);
}
